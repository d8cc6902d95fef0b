package plugintest_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// foldsCase looks keys up as most databases would.
type foldsCase struct{ *memory }

func (s foldsCase) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for canonical, h := range s.keys {
		if h.until.IsZero() && strings.EqualFold(canonical, k.Canonical) {
			return s.show(h.owner)
		}
	}
	return plugin.Account{}, plugin.ErrNotFound
}

// foldsCaseOfNewKeys compares new keys as most databases would.
type foldsCaseOfNewKeys struct{ *memory }

func (s foldsCaseOfNewKeys) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	s.mu.Lock()
	for canonical := range s.keys {
		for _, k := range a.Keys {
			if canonical != k.Canonical && strings.EqualFold(canonical, k.Canonical) {
				s.mu.Unlock()
				return plugin.Account{}, plugin.Taken(k.Attribute)
			}
		}
	}
	s.mu.Unlock()
	return s.memory.Create(ctx, a)
}

// comparesValues wants the name typed as it was at registration.
type comparesValues struct{ *memory }

func (s comparesValues) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	s.mu.Lock()
	h, known := s.keys[k.Canonical]
	s.mu.Unlock()
	if known && h.key.Value != k.Value && k.ValidateLookup() == nil {
		return plugin.Account{}, plugin.ErrNotFound
	}
	return s.memory.Lookup(ctx, k)
}

// findsNobodyHappily answers with an empty account.
type findsNobodyHappily struct{ *memory }

func (s findsNobodyHappily) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	a, err := s.memory.Lookup(ctx, k)
	if errors.Is(err, plugin.ErrNotFound) {
		err = nil
	}
	return a, err
}

// looksUpAnything does not mind an empty key.
type looksUpAnything struct{ *memory }

func (s looksUpAnything) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	a, err := s.memory.Lookup(ctx, k)
	if errors.Is(err, plugin.ErrInvalid) {
		err = plugin.ErrNotFound
	}
	return a, err
}

// readsUnderWildcards takes a star in a key for any text.
type readsUnderWildcards struct{ *memory }

func (s readsUnderWildcards) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	s.mu.Lock()
	for canonical := range s.keys {
		if prefix, ok := strings.CutSuffix(k.Canonical, "*"); ok && strings.HasPrefix(canonical, prefix) && !strings.Contains(canonical, "*") {
			k.Canonical = canonical
			break
		}
	}
	s.mu.Unlock()
	return s.memory.Lookup(ctx, k)
}

// sharesItsMaps hands out what it keeps.
type sharesItsMaps struct{ *memory }

func (s sharesItsMaps) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	if a, err := s.memory.Get(ctx, id); err != nil {
		return a, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[id].account, nil
}

// resolvesNothing has forgotten what attempts have made.
type resolvesNothing struct{ *memory }

func (s resolvesNothing) Resolve(ctx context.Context, attempt plugin.Attempt, _ []plugin.Key) (plugin.Account, error) {
	if err := errors.Join(attempt.Validate(), ctx.Err()); err != nil {
		return plugin.Account{}, err
	}
	return plugin.Account{}, plugin.ErrNotFound
}

// resolvesByKeys answers with whoever holds the keys.
type resolvesByKeys struct{ *memory }

func (s resolvesByKeys) Resolve(ctx context.Context, _ plugin.Attempt, keys []plugin.Key) (plugin.Account, error) {
	return s.Lookup(ctx, keys[0])
}

// resolvesWithoutFence looks, and lets the execution under way commit afterwards.
type resolvesWithoutFence struct{ *memory }

func (s resolvesWithoutFence) Resolve(ctx context.Context, attempt plugin.Attempt, _ []plugin.Key) (plugin.Account, error) {
	if err := errors.Join(attempt.Validate(), ctx.Err()); err != nil {
		return plugin.Account{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.show(s.attempts[attempt])
}

// commitsInTheBackground goes on with what its caller has given up.
type commitsInTheBackground struct{ *memory }

func (s commitsInTheBackground) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	type answer struct {
		made plugin.Account
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		time.Sleep(2 * time.Millisecond)
		made, err := s.memory.Create(context.WithoutCancel(ctx), a)
		done <- answer{made, err}
	}()
	select {
	case <-ctx.Done():
		return plugin.Account{}, ctx.Err()
	case got := <-done:
		return got.made, got.err
	}
}

// deletesOnce fails where there is nothing to delete.
type deletesOnce struct{ *memory }

func (s deletesOnce) Delete(ctx context.Context, id plugin.ID) error {
	if _, err := s.Get(ctx, id); err != nil {
		return err
	}
	return s.memory.Delete(ctx, id)
}

// keepsKeysOfDeleted never frees a name.
type keepsKeysOfDeleted struct{ *memory }

func (s keepsKeysOfDeleted) Delete(ctx context.Context, id plugin.ID) error {
	if err := errors.Join(id.Validate(), ctx.Err()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, id)
	return nil
}

// reusesIDs gives the next account the id of a deleted one.
type reusesIDs struct{ *memory }

func (s reusesIDs) Delete(ctx context.Context, id plugin.ID) error {
	_, err := s.Get(ctx, id)
	if err == nil {
		s.mu.Lock()
		s.next--
		s.mu.Unlock()
	}
	return s.memory.Delete(ctx, id)
}

// deletesNeighbours removes one account too many.
type deletesNeighbours struct{ *memory }

func (s deletesNeighbours) Delete(ctx context.Context, id plugin.ID) error {
	if err := s.memory.Delete(ctx, id); err != nil {
		return err
	}
	s.mu.Lock()
	var next plugin.ID
	for i, other := range s.order {
		if other == id && i+1 < len(s.order) {
			next = s.order[i+1]
		}
	}
	s.mu.Unlock()
	if next != "" {
		return s.memory.Delete(ctx, next)
	}
	return nil
}

// isDeaf ignores its context.
type isDeaf struct{ *memory }

func (s isDeaf) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	return s.memory.Create(context.WithoutCancel(ctx), a)
}

// isSlow takes its time when its context has ended.
type isSlow struct{ *memory }

func (s isSlow) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	if ctx.Err() != nil {
		time.Sleep(2500 * time.Millisecond)
	}
	return s.memory.Get(ctx, id)
}

// isDown cannot be reached.
type isDown struct{ *memory }

func (isDown) Ping(context.Context) error { return plugin.ErrUnavailable }

// changesItsMind describes itself anew each time.
type changesItsMind struct{ *memory }

func (s changesItsMind) Describe(ctx context.Context) (plugin.Description, error) {
	d, err := s.memory.Describe(ctx)
	d.Version = time.Now().String()
	return d, err
}

// resolvesHappily answers with an empty account where there is none.
type resolvesHappily struct{ *memory }

func (s resolvesHappily) Resolve(ctx context.Context, attempt plugin.Attempt, keys []plugin.Key) (plugin.Account, error) {
	a, err := s.memory.Resolve(ctx, attempt, keys)
	if errors.Is(err, plugin.ErrNotFound) {
		err = nil
	}
	return a, err
}

// getsAnything does not mind an id that is none.
type getsAnything struct{ *memory }

func (s getsAnything) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	a, err := s.memory.Get(ctx, id)
	if errors.Is(err, plugin.ErrInvalid) {
		err = plugin.ErrNotFound
	}
	return a, err
}
