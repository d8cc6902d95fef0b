package plugintest

import (
	"errors"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
)

func attemptRules() []rule {
	return []rule{
		{
			name:  "Create/the same attempt again returns the account that it made",
			law:   "the attempt is the idempotency key: a host that did not hear the answer asks again and must get the same account, even when that execution comes late",
			check: sameAttempt,
		},
		{
			name:  "Create/the same attempt at the same time makes one account",
			law:   "executions of one attempt may overlap: one makes the account, and the others return it or say that they do not know",
			check: sameAttemptAtOnce,
		},
		{
			name:  "Create/the password of the execution that made the account stays",
			law:   "nobody may change the password of an account by repeating an attempt",
			needs: []plugin.Capability{plugin.CapAuthenticator},
			check: firstPasswordStays,
		},
		{
			name:  "Create/another attempt for the same keys is ErrExists",
			law:   "only the attempt makes two creations the same: equal keys do not, whoever sent them",
			check: otherAttempt,
		},
		{
			name:  "Create/an attempt that was refused may succeed later",
			law:   "a refused creation has left nothing behind, so that the same attempt can succeed when its keys are free",
			check: refusedAttemptLater,
		},
	}
}

func sameAttempt(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	again := s.create(t, a)
	equal(t, "the same attempt again", again, made)

	other := a
	other.Attributes = plugin.Attributes{s.names.GivenName: texts("Grace"), s.names.FamilyName: texts("Hopper")}
	other.Password = plugin.NewSecret("another sentence " + fresh())
	other.NotAfter = time.Now().Add(-time.Hour)
	again, err := s.Create(s.ctx, other)
	must(t, "the same attempt again with other content, and late", err)
	equal(t, "the same attempt again with other content, and late", again, made)
	s.is(t, "after the same attempt again", made)
}

func sameAttemptAtOnce(t TB, s *store) {
	a := s.person()
	type answer struct {
		account plugin.Account
		err     error
	}
	answers := atOnce(8, func(int) answer {
		made, err := s.Create(s.ctx, a)
		return answer{made, err}
	})
	final := s.settled(t, a)
	for _, one := range answers {
		switch {
		case one.err == nil:
			equal(t, "one of several executions", one.account, final)
		case !errors.Is(one.err, plugin.ErrUnavailable) && !errors.Is(one.err, plugin.ErrUnknownOutcome):
			t.Errorf("one of several executions: %v, want the account, ErrUnavailable or ErrUnknownOutcome", one.err)
		}
	}
	s.holds(t, "after several executions", final, a.Keys...)
}

func firstPasswordStays(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	second := a
	second.Password = plugin.NewSecret("another sentence " + fresh())
	again := s.create(t, second)
	equal(t, "the same attempt with another password", again, made)
	s.opens(t, "the first password", made.ID, a.Keys[0], a.Password)
	s.denies(t, "the second password", a.Keys[0], second.Password)

	// And at the same time, where either may be the first.
	b := s.person()
	passwords := []plugin.Secret{b.Password, plugin.NewSecret("another sentence " + fresh())}
	atOnce(6, func(i int) error {
		mine := b
		mine.Password = passwords[i%2]
		_, err := s.Create(s.ctx, mine)
		return err
	})
	s.settled(t, b)
	opened := 0
	for _, p := range passwords {
		if _, err := s.Authenticator.Authenticate(s.ctx, b.Keys[0], p); err == nil {
			opened++
		}
	}
	if opened != 1 {
		t.Errorf("after executions with two passwords at the same time %d of them open the account, want 1", opened)
	}
}

func otherAttempt(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	b := a
	b.Attempt = freshAttempt()
	_, err := s.Create(s.ctx, b)
	fails(t, "another attempt with the same keys", err, plugin.ErrExists)
	s.is(t, "after another attempt with the same keys", made)
}

func refusedAttemptLater(t TB, s *store) {
	first := s.person()
	holder := s.create(t, first)
	second := s.person()
	second.Keys[1] = first.Keys[1]
	_, err := s.Create(s.ctx, second)
	fails(t, "Create with a taken key", err, plugin.ErrExists)
	must(t, "Delete of the holder", s.Delete(s.ctx, holder.ID))
	made := s.create(t, second)
	s.holds(t, "after the holder is gone", made, second.Keys...)
}

// settled repeats an attempt until the store is sure, and returns the account.
func (s *store) settled(t TB, a plugin.NewAccount) plugin.Account {
	t.Helper()
	for {
		a.NotAfter = time.Now().Add(plugin.CreateLifetime)
		made, err := s.Create(s.ctx, a)
		if errors.Is(err, plugin.ErrUnavailable) || errors.Is(err, plugin.ErrUnknownOutcome) {
			if s.ctx.Err() == nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
		}
		must(t, "the attempt once more", err)
		return made
	}
}

// atOnce calls f n times at the same moment and returns what the calls return.
func atOnce[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	all.Wait()
	return results
}
