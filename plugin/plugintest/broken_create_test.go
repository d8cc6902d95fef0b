package plugintest_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// The stores in the files broken_*_test.go are the reference store with one fault each.

type ignoresNotAfter struct{ *memory }

func (s ignoresNotAfter) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	a.NotAfter = time.Now().Add(time.Hour)
	return s.memory.Create(ctx, a)
}

// looksAtTheClockOnArrival tests NotAfter, but not directly before the commit.
type looksAtTheClockOnArrival struct{ *memory }

func (s looksAtTheClockOnArrival) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if !a.NotAfter.IsZero() && time.Now().Before(a.NotAfter) {
		a.NotAfter = time.Now().Add(time.Hour)
	}
	return s.memory.Create(ctx, a)
}

// forgetsAttempts is not idempotent.
type forgetsAttempts struct{ *memory }

func (s forgetsAttempts) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	defer func() {
		s.mu.Lock()
		delete(s.attempts, a.Attempt)
		s.mu.Unlock()
	}()
	return s.memory.Create(ctx, a)
}

// joinsByKeys takes equal keys for the same attempt.
type joinsByKeys struct{ *memory }

func (s joinsByKeys) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if !errors.Is(err, plugin.ErrExists) {
		return made, err
	}
	if held, err := s.Lookup(ctx, a.Keys[0]); err == nil {
		return held, nil
	}
	return made, err
}

// lastPasswordWins lets a repeated attempt set the password.
type lastPasswordWins struct{ *memory }

func (s lastPasswordWins) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if err == nil {
		s.mu.Lock()
		s.accounts[made.ID].password = a.Password
		s.mu.Unlock()
	}
	return made, err
}

// leavesHalf keeps the first key of an account that failed at another.
type leavesHalf struct{ *memory }

func (s leavesHalf) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if errors.Is(err, plugin.ErrExists) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.free(a.Keys[0], "") {
			half := a
			half.Keys = a.Keys[:1]
			_, _ = s.commit(half)
		}
	}
	return made, err
}

// twoWinners looks first and adds afterwards.
type twoWinners struct{ *memory }

func (s twoWinners) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	for _, k := range a.Keys {
		if _, err := s.Lookup(ctx, k); err != nil {
			continue
		}
		return s.memory.Create(ctx, a)
	}
	if a.Validate() != nil || time.Now().After(a.NotAfter) {
		return s.memory.Create(ctx, a)
	}
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(a)
}

// namespaces keeps the keys of each kind apart.
type namespaces struct{ *memory }

func (s namespaces) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	keys := append([]plugin.Key(nil), a.Keys...)
	for i := range keys {
		if keys[i].Canonical != "" {
			keys[i].Canonical = string(keys[i].Kind) + ":" + keys[i].Canonical
		}
	}
	a.Keys = keys
	return s.memory.Create(ctx, a)
}

func (s namespaces) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	k.Canonical = string(k.Kind) + ":" + k.Canonical
	return s.memory.Lookup(ctx, k)
}

// blamesTheUsername names the wrong field.
type blamesTheUsername struct{ *memory }

func (s blamesTheUsername) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if errors.Is(err, plugin.ErrExists) {
		err = plugin.Taken("uid")
	}
	return made, err
}

// lookAlikes answers with errors that only read like the contract's.
type lookAlikes struct{ *memory }

func (s lookAlikes) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if errors.Is(err, plugin.ErrExists) {
		err = errors.New(err.Error())
	}
	return made, err
}

// changesValues alters what it is given to store.
type changesValues struct {
	*memory
	value func(plugin.Value) plugin.Value
}

func (s changesValues) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if err != nil {
		return made, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, values := range s.accounts[made.ID].account.Attributes {
		for i := range values {
			values[i] = s.value(values[i])
		}
	}
	return s.show(made.ID)
}

// firstValueOnly keeps one value of each attribute.
type firstValueOnly struct{ *memory }

func (s firstValueOnly) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	attributes := plugin.Attributes{}
	for name, values := range a.Attributes {
		attributes[name] = values[:min(1, len(values))]
	}
	if a.Validate() == nil {
		a.Attributes = attributes
	}
	return s.memory.Create(ctx, a)
}

// unlocksNewcomers forgets the state that was asked for.
type unlocksNewcomers struct{ *memory }

func (s unlocksNewcomers) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if a.Validate() == nil {
		a.State = plugin.State{}
	}
	return s.memory.Create(ctx, a)
}

// forgetsGroups does not put new accounts into groups, but into one of its own.
type forgetsGroups struct{ *memory }

func (s forgetsGroups) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if len(a.Groups) > 0 && a.Validate() == nil {
		a.Groups = a.Groups[:1]
	}
	return s.memory.Create(ctx, a)
}

// createsInLocalTime has a clock on the wall.
type createsInLocalTime struct{ *memory }

func (s createsInLocalTime) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if err == nil {
		made.CreatedAt = made.CreatedAt.In(time.FixedZone("home", 3600))
	}
	return made, err
}

// takesAnything validates nothing.
type takesAnything struct{ *memory }

func (s takesAnything) Create(_ context.Context, a plugin.NewAccount) (plugin.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range a.Keys {
		if !s.free(k, "") {
			return plugin.Account{}, plugin.Taken(k.Attribute)
		}
	}
	return s.commit(a)
}

// locksUp takes the keys in the order in which they come, each with a lock of its own.
type locksUp struct{ *memory }

func (s locksUp) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if len(a.Keys) > 2 && a.Keys[1].Kind == plugin.KindPhone {
		<-ctx.Done() // as good as a deadlock
		return plugin.Account{}, ctx.Err()
	}
	return s.memory.Create(ctx, a)
}

// unavailableInWords says that it came too late, but not in the contract's words.
type unavailableInWords struct{ *memory }

func (s unavailableInWords) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.memory.Create(ctx, a)
	if errors.Is(err, plugin.ErrUnavailable) {
		err = errors.New("unavailable")
	}
	return made, err
}

// The ways in which a store can change a value.

func upper(v plugin.Value) plugin.Value {
	return plugin.Value{Type: v.Type, Text: strings.ToUpper(v.Text)}
}

func untyped(v plugin.Value) plugin.Value { return plugin.StringValue(v.Text) }

func trimmed(v plugin.Value) plugin.Value {
	return plugin.Value{Type: v.Type, Text: strings.TrimSpace(v.Text)}
}

func cut(v plugin.Value) plugin.Value {
	return plugin.Value{Type: v.Type, Text: v.Text[:min(len(v.Text), 255)]}
}
