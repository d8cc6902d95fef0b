package plugintest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/narthex/narthex/plugin"
)

func resolveRules() []rule {
	return []rule{
		{
			name:  "Resolve/an attempt that was never executed is ErrNotFound and makes nothing",
			law:   "Resolve settles an attempt: one that committed nothing is ErrNotFound",
			check: resolveUnknown,
		},
		{
			name:  "Resolve/a committed attempt is its account, however often it is asked for",
			law:   "what an attempt has committed is found by Resolve, or the host would take a finished registration for a failed one",
			check: resolveCommitted,
		},
		{
			name:  "Resolve/another attempt's account is not this attempt's",
			law:   "keys only tell where to look: an account that another attempt made is never the answer, because its owner is somebody else",
			check: resolveForeign,
		},
		{
			name:  "Resolve/an abandoned execution is settled for good",
			law:   "after ErrNotFound no execution of the attempt that began earlier can ever commit",
			check: resolveAbandoned,
		},
		{
			name:   "Resolve/an execution that began earlier never commits after ErrNotFound",
			law:    "after ErrNotFound no execution of the attempt that began earlier can ever commit, however long it stalls; Resolve either waits for it or makes it powerless",
			inside: true,
			check:  resolveFences,
		},
		{
			name:  "Resolve/arguments that break a rule of the contract are ErrInvalid",
			law:   "an attempt has 32 lower-case hexadecimal digits",
			check: resolveInvalid,
		},
	}
}

func resolveUnknown(t TB, s *store) {
	a := s.person()
	for range 2 {
		_, err := s.Resolve(s.ctx, a.Attempt, a.Keys)
		fails(t, "Resolve of an attempt that was never executed", err, plugin.ErrNotFound)
	}
	s.absent(t, "after Resolve", a.Keys...)
	made := s.create(t, a) // began later, so it may
	s.holds(t, "an execution that begins after Resolve", made, a.Keys...)
}

func resolveCommitted(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	for range 2 {
		found, err := s.Resolve(s.ctx, a.Attempt, a.Keys)
		must(t, "Resolve of a committed attempt", err)
		equal(t, "Resolve of a committed attempt", found, made)
	}
	again := s.create(t, a)
	equal(t, "the same attempt after Resolve", again, made)
}

func resolveForeign(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	found, err := s.Resolve(s.ctx, freshAttempt(), a.Keys)
	if err == nil && found.ID == made.ID {
		t.Errorf("Resolve of an attempt that made nothing answers with the account that holds its keys")
	} else {
		fails(t, "Resolve of an attempt that made nothing, with another's keys", err, plugin.ErrNotFound)
	}
	s.is(t, "after Resolve", made)
}

// resolveAbandoned cancels executions somewhere on their way and settles them at once.
func resolveAbandoned(t TB, s *store) {
	began := time.Now()
	s.create(t, s.person())
	usual := time.Since(began)
	type given struct {
		a  plugin.NewAccount
		up bool
	}
	var all []given
	for range 12 {
		a := s.person()
		ctx, cancel := context.WithTimeout(s.ctx, rand.N(max(usual+usual/2, time.Microsecond))) //nolint:gosec // spreads a test, guards nothing
		made, err := s.Create(ctx, a)
		cancel()
		found, resolved := s.Resolve(s.ctx, a.Attempt, a.Keys)
		switch {
		case err == nil && resolved != nil:
			t.Errorf("Create has answered with account %s, and Resolve says: %v", made.ID, resolved)
		case resolved == nil:
			s.holds(t, "after Resolve found an account", found, a.Keys...)
		default:
			fails(t, "Resolve of an abandoned execution", resolved, plugin.ErrNotFound)
			s.absent(t, "after Resolve found nothing", a.Keys...)
		}
		all = append(all, given{a, errors.Is(resolved, plugin.ErrNotFound)})
	}
	time.Sleep(max(2*usual, 50*time.Millisecond))
	for _, one := range all {
		if one.up {
			s.absent(t, "long after Resolve found nothing", one.a.Keys...)
		}
	}
}

// resolveFences holds Create up in one place after the other and resolves the attempt meanwhile.
func resolveFences(t TB, s *store) {
	for look := 1; look <= looksToTry; look++ {
		a := s.person()
		held := holdAt(s.ctx, look)
		created := make(chan error, 1)
		go func() {
			_, err := s.Create(held, a)
			created <- err
		}()
		select {
		case err := <-created: // the store does not look that often
			must(t, "Create", err)
			return
		case <-held.reached:
		}
		resolved := make(chan error, 1)
		go func() {
			_, err := s.Resolve(s.ctx, a.Attempt, a.Keys)
			resolved <- err
		}()
		settled, answered := within(resolved, heldFor) // or Resolve waits for the execution
		close(held.release)
		made := <-created
		if !answered {
			settled = <-resolved
		}
		s.judgeFence(t, fmt.Sprintf("held up at its look number %d at the context", look), a, made, settled)
	}
}

func (s *store) judgeFence(t TB, where string, a plugin.NewAccount, created, resolved error) {
	t.Helper()
	switch {
	case errors.Is(resolved, plugin.ErrNotFound) && created == nil:
		t.Errorf("Create, %s, has committed after Resolve said ErrNotFound", where)
	case errors.Is(resolved, plugin.ErrNotFound):
		s.absent(t, "after Resolve said ErrNotFound", a.Keys...)
	case resolved == nil:
		found, err := s.Resolve(s.ctx, a.Attempt, a.Keys)
		must(t, "Resolve once more", err)
		s.holds(t, "after Resolve found the account", found, a.Keys...)
	case !errors.Is(resolved, plugin.ErrUnavailable) && !errors.Is(resolved, plugin.ErrUnknownOutcome):
		t.Errorf("Resolve while Create was %s: %v", where, resolved)
	}
}

func resolveInvalid(t TB, s *store) {
	a := s.person()
	_, err := s.Resolve(s.ctx, "no attempt", a.Keys)
	fails(t, "Resolve of something that is no attempt", err, plugin.ErrInvalid)
}
