package plugintest

import (
	"errors"
	"time"

	"github.com/narthex/narthex/plugin"
)

func holdRules() []rule {
	needs := []plugin.Capability{plugin.CapUpdater}
	return []rule{
		{
			name:  "Update/a dropped key is held back from others, and its account may take it again",
			law:   "a dropped key stays out of other accounts' reach for as long as the change says, so that its mail and its logins do not become somebody else's; for the account that dropped it, it is free",
			needs: needs, check: heldBack,
		},
		{
			name:  "Update/a dropped key is free when its time is over",
			law:   "Hold is how long a dropped key stays out of reach, and no longer",
			needs: needs, check: heldNoLonger,
		},
	}
}

func heldBack(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	dropped := a.Keys[1]
	s.update(t, made.ID, exchange(nil, &dropped, time.Hour))

	b, c := s.person(), s.person()
	b.Keys[1] = dropped
	_, err := s.Create(s.ctx, b)
	blames(t, "Create with a key that is held back", err, plugin.ErrExists, s.names.Email)
	s.absent(t, "after a refused Create", b.Keys...)
	other := s.create(t, c)
	_, err = s.Updater.Update(s.ctx, other.ID, exchange(&dropped, nil, 0))
	blames(t, "Update to a key that is held back", err, plugin.ErrExists, s.names.Email)
	s.is(t, "after a refused Update", other)

	after := s.update(t, made.ID, exchange(&dropped, nil, 0))
	shows(t, "after the account took its key back", after, s.names.Email, dropped.Value)
	s.holds(t, "after the account took its key back", after, a.Keys...)
}

func heldNoLonger(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	next := s.phone()
	s.update(t, made.ID, exchange(&next, nil, 0))
	s.update(t, made.ID, exchange(nil, &next, 0))
	b := s.person()
	b.Keys = append(b.Keys, next)
	taken := s.create(t, b)
	s.holds(t, "a key that was not to be held", taken, next)

	const hold, patience = time.Second, 8 * time.Second
	dropped := a.Keys[1]
	began := time.Now()
	s.update(t, made.ID, exchange(nil, &dropped, hold))
	c := s.person()
	c.Keys[1] = dropped
	for {
		heir, err := s.Create(s.ctx, c)
		took := time.Since(began)
		switch {
		case err == nil && took < hold:
			t.Fatalf("a key held for %v was free after %v", hold, took)
		case err == nil:
			s.holds(t, "after the hold", heir, dropped)
			return
		case !errors.Is(err, plugin.ErrExists):
			t.Fatalf("Create with a key that is held back: %v, want ErrExists", err)
		case took > patience:
			t.Fatalf("a key held for %v is not free after %v", hold, took)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
