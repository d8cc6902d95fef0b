package plugintest

import (
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/plugin"
)

func lateRules() []rule {
	return []rule{
		{
			name:  "Create/an execution after its NotAfter is ErrUnavailable and leaves nothing",
			law:   "who comes late has lost the right to commit: the host may have given the attempt up",
			check: afterNotAfter,
		},
		{
			name:  "Create/a NotAfter that passes meanwhile leaves all or nothing",
			law:   "an execution either commits in time and says so, or is ErrUnavailable and leaves nothing",
			check: shortNotAfter,
		},
		{
			name:   "Create/an execution that stalls past its NotAfter does not commit",
			law:    "the clock is looked at when every name is held, directly before the commit: a process may stall anywhere before, for as long as it likes",
			inside: true,
			check:  stallsPastNotAfter,
		},
	}
}

func afterNotAfter(t TB, s *store) {
	a := s.person()
	a.NotAfter = time.Now().Add(-time.Hour)
	_, err := s.Create(s.ctx, a)
	fails(t, "Create an hour after its NotAfter", err, plugin.ErrUnavailable)
	s.absent(t, "after Create came late", a.Keys...)

	b := s.person()
	b.Keys[1] = a.Keys[1]
	made := s.create(t, b)
	s.holds(t, "another account with the email of the late one", made, b.Keys...)

	c := s.person()
	c.NotAfter = time.Now().Add(-time.Hour)
	_, err = s.Create(s.ctx, c)
	fails(t, "Create an hour after its NotAfter", err, plugin.ErrUnavailable)
	c.NotAfter = time.Now().Add(plugin.CreateLifetime)
	made = s.create(t, c)
	s.holds(t, "the next execution of the attempt", made, c.Keys...)
}

func shortNotAfter(t TB, s *store) {
	began := time.Now()
	s.create(t, s.person())
	usual := time.Since(began)
	for i := range 10 {
		a := s.person()
		a.NotAfter = time.Now().Add(usual * time.Duration(i) / 5)
		made, err := s.Create(s.ctx, a)
		what := "Create with a NotAfter that passes meanwhile"
		if err == nil {
			s.holds(t, what, made, a.Keys...)
			continue
		}
		fails(t, what, err, plugin.ErrUnavailable)
		s.absent(t, what, a.Keys...)
	}
}

// stallsPastNotAfter holds Create up in one place after the other until its time is over. An account that could not be
// seen then and can be seen later was committed late.
func stallsPastNotAfter(t TB, s *store) {
	for look := 1; look <= looksToTry; look++ {
		a := s.person()
		a.NotAfter = time.Now().Add(heldFor)
		held := holdAt(s.ctx, look)
		created := make(chan error, 1)
		go func() {
			_, err := s.Create(held, a)
			created <- err
		}()
		select {
		case err := <-created: // the store does not look that often
			if err != nil {
				fails(t, "Create with little time", err, plugin.ErrUnavailable)
			}
			return
		case <-held.reached:
		}
		time.Sleep(time.Until(a.NotAfter) + 10*time.Millisecond)
		seen := make(chan error, 1)
		go func() {
			_, err := s.Lookup(s.ctx, a.Keys[0])
			seen <- err
		}()
		before, answered := within(seen, heldFor)
		close(held.release)
		err := <-created
		if !answered || !errors.Is(before, plugin.ErrNotFound) {
			continue // held up with the store's lock in hand, or after the commit
		}
		what := fmt.Sprintf("Create that stalls past its NotAfter (at its look number %d at the context)", look)
		fails(t, what, err, plugin.ErrUnavailable)
		s.absent(t, what, a.Keys...)
	}
}
