package plugintest

import (
	"errors"

	"github.com/narthex/narthex/plugin"
)

func stateRules() []rule {
	needs := []plugin.Capability{plugin.CapUpdater}
	return []rule{
		{
			name:  "Update/locks and unlocks",
			law:   "the state decides whether the account can be used, from the moment that Update returns",
			needs: needs, check: lockAndUnlock,
		},
		{
			name:  "Update/another state than the one to be replaced is ErrConflict",
			law:   "the store must hold Old.Locked now; reasons are not compared",
			needs: needs, check: stateConflict,
		},
	}
}

func lock(reason string) plugin.Change {
	return plugin.Change{State: &plugin.StateChange{New: plugin.State{Locked: true, Reason: reason}}}
}

func unlock() plugin.Change {
	return plugin.Change{State: &plugin.StateChange{Old: plugin.State{Locked: true}}}
}

func lockAndUnlock(t TB, s *store) {
	a := s.person()
	want := s.create(t, a)
	want.State = plugin.State{Locked: true, Reason: "abuse"}
	equal(t, "Update that locks", s.update(t, want.ID, lock("abuse")), want)
	if s.Authenticator != nil {
		s.denies(t, "after the lock", a.Keys[0], a.Password)
	}
	want.State = plugin.State{}
	equal(t, "Update that unlocks", s.update(t, want.ID, unlock()), want)
	if s.Authenticator != nil {
		s.opens(t, "after the unlock", want.ID, a.Keys[0], a.Password)
	}
	s.holds(t, "after lock and unlock", want, a.Keys...)
}

func stateConflict(t TB, s *store) {
	made := s.create(t, s.person())
	_, err := s.Updater.Update(s.ctx, made.ID, unlock())
	fails(t, "an unlock of an active account", err, plugin.ErrConflict)
	s.update(t, made.ID, lock("first reason"))
	_, err = s.Updater.Update(s.ctx, made.ID, lock("second reason"))
	fails(t, "a lock of a locked account", err, plugin.ErrConflict)
	again := unlock()
	again.State.Old.Reason = "another reason"
	s.update(t, made.ID, again)
}

func groupRules() []rule {
	return []rule{
		{
			name:   "Update/adds to groups and removes from others, and what is so already stays so",
			law:    "a change of groups adds and removes; to add a member, or to remove a stranger, is no error and changes nothing",
			needs:  []plugin.Capability{plugin.CapUpdater},
			groups: true,
			check:  changeGroups,
		},
	}
}

// groups returns two groups of the store. Where the suite has to make names up, the store may not know them.
func (s *store) groups(t TB) []string {
	t.Helper()
	if len(s.names.Groups) > 1 {
		return s.names.Groups[:2]
	}
	made := []string{"suite-" + fresh(), "suite-" + fresh()}
	probe := s.person()
	probe.Groups = made
	_, err := s.Create(s.ctx, probe)
	var blamed *plugin.FieldError
	if errors.Is(err, plugin.ErrInvalid) && errors.As(err, &blamed) && blamed.Code == plugin.CodeUnknown {
		t.Skipf("the store refuses groups that it does not know: name two that it has")
	}
	must(t, "Create with groups", err)
	return made
}

func changeGroups(t TB, s *store) {
	groups := s.groups(t)
	want := s.create(t, s.person())
	for _, step := range []struct {
		change plugin.GroupChange
		after  []string
	}{
		{plugin.GroupChange{Add: groups}, groups},
		{plugin.GroupChange{Add: groups[:1]}, groups},
		{plugin.GroupChange{Remove: groups[:1]}, groups[1:]},
		{plugin.GroupChange{Remove: groups[:1]}, groups[1:]},
		{plugin.GroupChange{Add: groups[:1], Remove: groups[1:]}, groups[:1]},
		{plugin.GroupChange{Remove: groups}, nil},
	} {
		want.Groups = step.after
		equal(t, "Update of groups", s.update(t, want.ID, plugin.Change{Groups: &step.change}), want)
	}
}
