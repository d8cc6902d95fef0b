package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/narthex/narthex/plugin"
)

// record is what the file has of an account.
type record struct {
	Account  plugin.Account
	Attempt  plugin.Attempt
	Keys     []plugin.Key
	Password password
}

// show returns a copy that the caller may alter.
func (r record) show() plugin.Account {
	a := r.Account
	a.Attributes, a.Groups = maps.Clone(a.Attributes), slices.Clone(a.Groups)
	for name, values := range a.Attributes {
		a.Attributes[name] = slices.Clone(values)
	}
	return a
}

type store struct {
	cost    cost
	dir     *os.File
	path    string
	running sync.Map      // *plugin.NewAccount to true, or to false once Resolve has made that execution powerless
	turn    chan struct{} // whoever has put something in may use the records
	records []record
}

var _ plugin.Authenticator = (*store)(nil)

// open reads the accounts. A lock on their directory keeps other processes out for as long as this one lives.
func open(cfg settings) (*store, error) {
	dir, err := os.Open(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another process has them: %w", err), dir.Close())
	}
	s := &store{cost: cfg.Hash, dir: dir, path: filepath.Join(cfg.Dir, "accounts.json"), turn: make(chan struct{}, 1)}
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err := errors.Join(err, json.Unmarshal(text, &s.records)); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return s, nil
}

// save makes these the accounts, if the last look before that finds nothing against it. A crash leaves the old file or
// the new one, whole.
func (s *store) save(records []record, last func() error) error {
	next, err := os.OpenFile(s.path+".next", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		err = errors.Join(json.NewEncoder(next).Encode(records), next.Sync(), next.Close())
	}
	if err == nil {
		err = last()
	}
	if err == nil {
		err = os.Rename(next.Name(), s.path)
	}
	if err != nil {
		return fmt.Errorf("save the accounts: %w: %w", plugin.ErrUnavailable, err)
	}
	s.records = records
	if err := s.dir.Sync(); err != nil { // a power cut might bring the old file back
		return fmt.Errorf("save the accounts: %w: %w", plugin.ErrUnknownOutcome, err)
	}
	return nil
}

// use calls f when it is its turn, unless the arguments are invalid or the context ends.
func (s *store) use(ctx context.Context, invalid error, f func() (plugin.Account, error)) (plugin.Account, error) {
	if invalid != nil {
		return plugin.Account{}, invalid
	}
	select {
	case <-ctx.Done():
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	}
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	return f()
}

func (s *store) find(ctx context.Context, invalid error, fits func(record) bool) (plugin.Account, error) {
	return s.use(ctx, invalid, func() (plugin.Account, error) {
		if i := slices.IndexFunc(s.records, fits); i >= 0 {
			return s.records[i].show(), nil
		}
		return plugin.Account{}, plugin.ErrNotFound
	})
}

func (s *store) Describe(context.Context) (plugin.Description, error) {
	return plugin.Description{Name: "example", Version: "1", ValueTypes: plugin.ValueTypes()}, nil
}

func (s *store) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	s.running.Store(&a, true)
	defer s.running.Delete(&a)
	return s.use(ctx, a.Validate(), func() (plugin.Account, error) {
		if i := slices.IndexFunc(s.records, madeBy(a.Attempt)); i >= 0 {
			return s.records[i].show(), nil
		}
		for _, k := range a.Keys {
			if slices.ContainsFunc(s.records, holding(k, false)) {
				return plugin.Account{}, plugin.Taken(k.Attribute)
			}
		}
		r := record{a.Account(plugin.ID(rand.Text()), time.Now()), a.Attempt, slices.Clone(a.Keys), s.cost.hash(a.Password)}
		return r.show(), s.save(append(slices.Clip(s.records), r), func() error {
			if alive, _ := s.running.Load(&a); alive != true || time.Now().After(a.NotAfter) {
				return errors.New("the execution has lost its right to commit")
			}
			return nil
		})
	})
}

func (s *store) Resolve(ctx context.Context, attempt plugin.Attempt, _ []plugin.Key) (plugin.Account, error) {
	s.running.Range(func(a, _ any) bool {
		if a.(*plugin.NewAccount).Attempt == attempt {
			s.running.CompareAndSwap(a, true, false)
		}
		return true
	})
	return s.find(ctx, attempt.Validate(), madeBy(attempt))
}

func (s *store) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	return s.find(ctx, k.ValidateLookup(), holding(k, false))
}

func (s *store) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	return s.find(ctx, id.Validate(), called(id))
}

func (s *store) Delete(ctx context.Context, id plugin.ID) error {
	_, err := s.use(ctx, id.Validate(), func() (plugin.Account, error) {
		return plugin.Account{}, s.save(slices.DeleteFunc(slices.Clone(s.records), called(id)), ctx.Err)
	})
	return err
}

func (s *store) Ping(ctx context.Context) error { return ctx.Err() }

func (s *store) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	return s.use(ctx, k.ValidateLookup(), func() (plugin.Account, error) {
		found := record{Password: password{Cost: s.cost}} // nobody's
		if i := slices.IndexFunc(s.records, holding(k, true)); i >= 0 {
			found = s.records[i]
		}
		if !found.Password.is(p) || found.Account.State.Locked {
			return plugin.Account{}, plugin.ErrDenied
		}
		return found.show(), nil
	})
}

// The records that one looks for.

func called(id plugin.ID) func(record) bool {
	return func(r record) bool { return r.Account.ID == id }
}

func madeBy(attempt plugin.Attempt) func(record) bool {
	return func(r record) bool { return r.Attempt == attempt }
}

func holding(k plugin.Key, login bool) func(record) bool {
	return func(r record) bool {
		return slices.ContainsFunc(r.Keys, func(own plugin.Key) bool { return own.Canonical == k.Canonical && (own.Login || !login) })
	}
}
