package flow_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
)

// memoryStore is a store that behaves: unique keys, idempotent attempts, attempts that are given up.
type memoryStore struct {
	mu       sync.Mutex
	clock    func() time.Time
	types    []plugin.ValueType
	byKey    map[string]*stored
	byTry    map[plugin.Attempt]*stored
	creates  int
	lookups  int
	resolves int
	// before and after may fail an execution of Create without and with its effect.
	before, after func(a plugin.NewAccount) error
}

type stored struct {
	account  plugin.Account
	made     plugin.NewAccount
	password plugin.Secret
}

func newMemoryStore() *memoryStore {
	return &memoryStore{
		types: plugin.ValueTypes(), byKey: map[string]*stored{}, byTry: map[plugin.Attempt]*stored{}, clock: time.Now,
	}
}

func (s *memoryStore) Describe(context.Context) (plugin.Description, error) {
	return plugin.Description{Name: "memory", ValueTypes: s.types}, nil
}

func (s *memoryStore) Ping(context.Context) error { return nil }

func (s *memoryStore) Create(_ context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if err := a.Validate(); err != nil {
		return plugin.Account{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.creates++
	if s.before != nil {
		if err := s.before(a); err != nil {
			return plugin.Account{}, err
		}
	}
	if made := s.byTry[a.Attempt]; made != nil {
		return made.account, nil
	}
	if s.clock().After(a.NotAfter) {
		return plugin.Account{}, plugin.ErrUnavailable
	}
	for _, k := range a.Keys {
		if s.byKey[k.Canonical] != nil {
			return plugin.Account{}, plugin.Taken(k.Attribute)
		}
	}
	made := &stored{made: a, password: a.Password, account: plugin.Account{
		ID: plugin.ID(fmt.Sprintf("id-%d", len(s.byTry))), Username: a.Username(), Attributes: a.Attributes,
	}}
	s.byTry[a.Attempt] = made
	for _, k := range a.Keys {
		s.byKey[k.Canonical] = made
	}
	if s.after != nil {
		if err := s.after(a); err != nil {
			return plugin.Account{}, err
		}
	}
	return made.account, nil
}

func (s *memoryStore) Resolve(_ context.Context, attempt plugin.Attempt, _ []plugin.Key) (plugin.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resolves++
	if made := s.byTry[attempt]; made != nil {
		return made.account, nil
	}
	return plugin.Account{}, plugin.ErrNotFound
}

func (s *memoryStore) Lookup(_ context.Context, k plugin.Key) (plugin.Account, error) {
	s.mu.Lock()
	s.lookups++
	s.mu.Unlock()
	return s.find(k.Canonical)
}

func (s *memoryStore) find(canonical string) (plugin.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if made := s.byKey[canonical]; made != nil {
		return made.account, nil
	}
	return plugin.Account{}, plugin.ErrNotFound
}

func (s *memoryStore) Get(context.Context, plugin.ID) (plugin.Account, error) {
	return plugin.Account{}, plugin.ErrNotFound
}

func (s *memoryStore) Delete(context.Context, plugin.ID) error { return nil }

func (s *memoryStore) Authenticate(_ context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if made := s.byKey[k.Canonical]; made != nil && !p.Empty() && made.password.Equal(p) {
		return made.account, nil
	}
	return plugin.Account{}, plugin.ErrDenied
}

// accounts returns everything that was made.
func (s *memoryStore) accounts() []*stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*stored
	for _, made := range s.byTry {
		all = append(all, made)
	}
	return all
}

// counts returns how often the store was asked whether somebody exists, and to make an account.
func (s *memoryStore) counts() (lookups, creates int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups, s.creates
}

// forget starts over.
func (s *memoryStore) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey, s.byTry = map[string]*stored{}, map[plugin.Attempt]*stored{}
}
