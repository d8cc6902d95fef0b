package plugintest

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/plugin"
)

func contextRules() []rule {
	return []rule{
		{
			name:  "any/a context that has ended returns promptly with an error",
			law:   "calls return soon after their context is done, with its error or ErrUnavailable, and a write that says so has written nothing",
			check: endedContext,
		},
	}
}

// promptly is how soon a call with an ended context returns, on a busy machine.
const promptly = 2 * time.Second

func endedContext(t TB, s *store) {
	cancelled, cancel := context.WithCancel(s.ctx)
	cancel()
	expired, cancel := context.WithDeadline(s.ctx, time.Now().Add(-time.Second))
	defer cancel()
	a := s.person()
	made := s.create(t, a)
	for _, ctx := range []context.Context{cancelled, expired} {
		newcomer := s.person()
		for call, try := range s.calls(ctx, made, a, newcomer) {
			began := time.Now()
			err := try()
			if took := time.Since(began); took > promptly {
				t.Errorf("%s with an ended context returns after %v", call, took)
			}
			switch {
			case err == nil:
				t.Errorf("%s with an ended context succeeds", call)
			case !errors.Is(err, ctx.Err()) && !errors.Is(err, plugin.ErrUnavailable):
				t.Errorf("%s with an ended context: %v, want its error or ErrUnavailable", call, err)
			}
		}
		s.absent(t, "after Create with an ended context", newcomer.Keys...)
	}
	s.is(t, "after calls with ended contexts", made)
	s.holds(t, "after calls with ended contexts", made, a.Keys...)
	if s.Authenticator != nil {
		s.opens(t, "after calls with ended contexts", made.ID, a.Keys[0], a.Password)
	}
}

// calls returns every call of the store that could reach another machine, each about an account that exists.
func (s *store) calls(ctx context.Context, made plugin.Account, a, newcomer plugin.NewAccount) map[string]func() error {
	calls := map[string]func() error{
		"Create":  func() error { _, err := s.Create(ctx, newcomer); return err },
		"Resolve": func() error { _, err := s.Resolve(ctx, a.Attempt, a.Keys); return err },
		"Lookup":  func() error { _, err := s.Lookup(ctx, a.Keys[0]); return err },
		"Get":     func() error { _, err := s.Get(ctx, made.ID); return err },
		"Delete":  func() error { return s.Delete(ctx, made.ID) },
		"Ping":    func() error { return s.Ping(ctx) },
	}
	if s.Authenticator != nil {
		calls["Authenticate"] = func() error { _, err := s.Authenticator.Authenticate(ctx, a.Keys[0], a.Password); return err }
	}
	if s.PasswordSetter != nil {
		calls["SetPassword"] = func() error { return s.PasswordSetter.SetPassword(ctx, made.ID, newPassword()) }
	}
	if s.Updater != nil {
		for what, c := range s.changes() {
			calls["Update "+what] = func() error { _, err := s.Updater.Update(ctx, made.ID, c); return err }
		}
	}
	if s.Lister != nil {
		calls["List"] = func() error { _, err := s.Lister.List(ctx, plugin.ListQuery{Limit: 1}); return err }
	}
	if s.Maintainer != nil {
		calls["Maintain"] = func() error { _, err := s.Maintainer.Maintain(ctx); return err }
	}
	if s.Statuses != nil {
		calls["Statuses"] = func() error { _, err := s.Statuses.Statuses(ctx, []plugin.ID{made.ID}); return err }
	}
	return calls
}
