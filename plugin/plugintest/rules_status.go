package plugintest

import (
	"errors"

	"github.com/narthex/narthex/plugin"
)

func statusRules() []rule {
	needs := []plugin.Capability{plugin.CapStatuses}
	return []rule{
		{
			name:  "Statuses/an account is usable when it exists, is active and has a password",
			law:   "Usable decides whether sessions live on: a locked account, a deleted one and one without a password must not keep theirs",
			needs: needs, check: statusesTell,
		},
		{
			name:  "Statuses/as many as the contract allows, each once",
			law:   "every id that was asked for is reported on once, and no other",
			needs: needs, check: statusesMany,
		},
	}
}

func statusesTell(t TB, s *store) {
	active, locked, without, deleted := s.person(), s.person(), s.person(), s.person()
	locked.State = plugin.State{Locked: true}
	without.Password = plugin.Secret{}
	gone := s.create(t, deleted).ID
	must(t, "Delete", s.Delete(s.ctx, gone))
	usable := map[plugin.ID]bool{
		s.create(t, active).ID: true, s.create(t, locked).ID: false, s.create(t, without).ID: false, gone: false, absentID(): false,
	}
	var ids []plugin.ID
	for id := range usable {
		ids = append(ids, id)
	}
	list, err := s.Statuses.Statuses(s.ctx, ids)
	must(t, "Statuses", err)
	for _, one := range list {
		if want, asked := usable[one.ID]; !asked {
			t.Errorf("Statuses reports on account %s, which nobody asked for", one.ID)
		} else if one.Usable != want {
			t.Errorf("an account is reported as usable: %v, want %v", one.Usable, want)
		}
		delete(usable, one.ID)
	}
	if len(usable) > 0 {
		t.Errorf("Statuses does not report on %d accounts", len(usable))
	}
	if list, err = s.Statuses.Statuses(s.ctx, nil); err != nil || len(list) > 0 {
		t.Errorf("Statuses of no accounts: %v, %v", list, err)
	}
}

func statusesMany(t TB, s *store) {
	ids := []plugin.ID{s.create(t, s.person()).ID}
	for len(ids) < plugin.MaxStatuses {
		ids = append(ids, absentID())
	}
	list, err := s.Statuses.Statuses(s.ctx, ids)
	must(t, "Statuses", err)
	var reported []plugin.ID
	for _, one := range list {
		reported = append(reported, one.ID)
		if one.Usable != (one.ID == ids[0]) {
			t.Errorf("account %s is reported as usable: %v", one.ID, one.Usable)
		}
	}
	if !sameSet(reported, ids) {
		t.Errorf("Statuses of %d accounts reports on %d", len(ids), len(reported))
	}
}

func maintainRules() []rule {
	return []rule{{
		name:  "Maintain/touches nothing that is finished, and comes to an end",
		law:   "a janitor removes what an unfinished attempt of its own kind left behind, and never an account",
		needs: []plugin.Capability{plugin.CapMaintainer},
		check: maintain,
	}}
}

func maintain(t TB, s *store) {
	const atMost, interruptions = 1000, 5
	a, b := s.person(), s.person()
	b.State, b.Password = plugin.State{Locked: true}, plugin.Secret{}
	made, locked := s.create(t, a), s.create(t, b)
	c := s.person()
	c.NotAfter = c.NotAfter.Add(-24 * plugin.CreateLifetime)
	_, err := s.Create(s.ctx, c)
	fails(t, "Create after its NotAfter", err, plugin.ErrUnavailable)
	for calls, interrupted := 1, 0; ; calls++ {
		report, err := s.Maintainer.Maintain(s.ctx)
		if interrupted < interruptions && (errors.Is(err, plugin.ErrUnavailable) || errors.Is(err, plugin.ErrUnknownOutcome)) {
			interrupted++ // a busy machine let it run out of time: the host calls again as well
			continue
		}
		must(t, "Maintain", err)
		if report.Finished < 0 || report.Removed < 0 {
			t.Errorf("Maintain reports %+v", report)
		}
		if !report.More {
			break
		}
		if calls == atMost {
			t.Fatalf("after %d calls Maintain still says that more is waiting", calls)
		}
	}
	s.is(t, "after Maintain", made)
	s.holds(t, "after Maintain", made, a.Keys...)
	s.is(t, "after Maintain", b.Account(locked.ID, locked.CreatedAt))
	s.absent(t, "after Maintain", c.Keys...)
	again := s.create(t, a)
	equal(t, "the attempt of a finished account after Maintain", again, made)
}
