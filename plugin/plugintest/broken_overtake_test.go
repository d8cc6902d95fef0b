package plugintest_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

// slow takes its time in the middle of a Create, as a store that hashes a password does.
type slow struct{ plugin.Persister }

func (s slow) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	return s.Persister.Create(slowContext{ctx}, a)
}

type slowContext struct{ context.Context }

func (c slowContext) Err() error {
	time.Sleep(20 * time.Millisecond)
	return c.Context.Err()
}

const overtaking = "Resolve/one that overtakes an execution under way settles it for good"

// TestOvertakingIsJudgedOverTheWire has no rule that holds a store up from inside: so is a program judged.
func TestOvertakingIsJudgedOverTheWire(t *testing.T) {
	for what, c := range map[string]struct {
		store plugin.Persister
		want  plugintest.Outcome
	}{
		"fenced, slow":       {slow{newMemory()}, plugintest.Passed},
		"fenced, quick":      {newMemory(), plugintest.Passed},
		"no fence":           {slow{resolvesWithoutFence{newMemory()}}, plugintest.Failed},
		"no fence at first":  {&opensThenLocks{memory: newMemory()}, plugintest.Failed},
		"denies its account": {deniesWhatItMade{newMemory()}, plugintest.Failed},
		"loses accounts":     {losesWhatItMade{newMemory()}, plugintest.Failed},
		"finds it only once": {findsOnce{newMemory()}, plugintest.Failed},
		"another error":      {refusesOddly{newMemory()}, plugintest.Failed},
		"forgets attempts":   {slow{resolvesNothing{newMemory()}}, plugintest.Failed},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b, stop, err := plugin.InProcess(t.Context(), plugin.ServeConfig{Persister: c.store, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			report := plugintest.Check(t.Context(), b, plugintest.Only(overtaking))
			if len(report.Results) != 1 || report.Results[0].Outcome != c.want {
				t.Errorf("want %s, got %+v", c.want, report.Results)
			}
		})
	}
}

// deniesWhatItMade commits, and says that nothing happened.
type deniesWhatItMade struct{ *memory }

func (s deniesWhatItMade) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if err == nil && s.odd(made.ID) {
		return plugin.Account{}, plugin.ErrUnavailable
	}
	return made, err
}

// odd lets the accounts through by which a rule finds out how long a Create takes.
func (*memory) odd(id plugin.ID) bool { return len(id) > 2 }

// losesWhatItMade answers with an account that is gone with the answer.
type losesWhatItMade struct{ *memory }

func (s losesWhatItMade) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if err == nil {
		err = s.Delete(ctx, made.ID)
	}
	return made, err
}

// findsOnce does not know what it has committed, finds it when it is asked, and never again.
type findsOnce struct{ *memory }

func (s findsOnce) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	time.Sleep(20 * time.Millisecond) // committed already: Resolve comes meanwhile
	if err == nil && s.odd(made.ID) {
		return plugin.Account{}, plugin.ErrUnknownOutcome
	}
	return made, err
}

func (s findsOnce) Resolve(ctx context.Context, attempt plugin.Attempt, keys []plugin.Key) (plugin.Account, error) {
	found, err := s.memory.Resolve(ctx, attempt, keys)
	if err == nil && s.odd(found.ID) {
		err = s.Delete(ctx, found.ID)
	}
	return found, err
}

// refusesOddly makes nothing and gives no reason that a host could act on.
type refusesOddly struct{ *memory }

func (s refusesOddly) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if err == nil && s.odd(made.ID) {
		return plugin.Account{}, errors.Join(s.Delete(ctx, made.ID), plugin.ErrConflict)
	}
	return made, err
}

// opensThenLocks has no fence until it takes its turn, less than half of the way, and keeps Resolve waiting from then on.
type opensThenLocks struct {
	*memory
	turn sync.Mutex
}

func (s *opensThenLocks) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	time.Sleep(20 * time.Millisecond)
	s.turn.Lock()
	defer s.turn.Unlock()
	time.Sleep(25 * time.Millisecond)
	return s.memory.Create(ctx, a)
}

func (s *opensThenLocks) Resolve(ctx context.Context, attempt plugin.Attempt, keys []plugin.Key) (plugin.Account, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.memory.Resolve(ctx, attempt, keys)
}
