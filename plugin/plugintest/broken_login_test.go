package plugintest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// judges is the reference store with another way to judge passwords.
type judges struct {
	*memory
	// right decides for an account that was found and is active.
	right func(stored, typed string) bool
}

func (s judges) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	if a, err := s.memory.Authenticate(ctx, k, p); err == nil {
		return a, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.keys[k.Canonical]
	if e := s.accounts[h.owner]; e != nil && h.key.Login && !e.account.State.Locked && s.right(e.password.Reveal(), p.Reveal()) {
		return s.show(h.owner)
	}
	return plugin.Account{}, plugin.ErrDenied
}

// letsLockedIn forgets the state.
type letsLockedIn struct{ *memory }

func (s letsLockedIn) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	s.mu.Lock()
	if e := s.accounts[s.keys[k.Canonical].owner]; e != nil && e.account.State.Locked && e.password.Equal(p) {
		defer s.mu.Unlock()
		return s.show(e.account.ID)
	}
	s.mu.Unlock()
	return s.memory.Authenticate(ctx, k, p)
}

// logsInByUniqueValues takes every key for a login.
type logsInByUniqueValues struct{ *memory }

func (s logsInByUniqueValues) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	s.mu.Lock()
	if h, known := s.keys[k.Canonical]; known {
		h.key.Login = true
		s.keys[k.Canonical] = h
	}
	s.mu.Unlock()
	return s.memory.Authenticate(ctx, k, p)
}

// logsInByUsername knows no aliases.
type logsInByUsername struct{ *memory }

func (s logsInByUsername) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	if k.Kind != plugin.KindUsername {
		return plugin.Account{}, plugin.ErrDenied
	}
	return s.memory.Authenticate(ctx, k, p)
}

// tellsWhoExists says more than ErrDenied.
type tellsWhoExists struct{ *memory }

func (s tellsWhoExists) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	a, err := s.memory.Authenticate(ctx, k, p)
	if errors.Is(err, plugin.ErrDenied) {
		if _, unknown := s.Lookup(ctx, k); unknown != nil {
			err = fmt.Errorf("no such account: %w", plugin.ErrDenied)
		}
	}
	return a, err
}

// hashesOnlyForAccounts spends time on passwords of accounts that exist.
type hashesOnlyForAccounts struct{ *memory }

func (s hashesOnlyForAccounts) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	if _, err := s.Lookup(ctx, k); err == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return s.memory.Authenticate(ctx, k, p)
}

// refusesBadPasswordsLoudly has another error for passwords that nobody can have.
type refusesBadPasswordsLoudly struct{ *memory }

func (s refusesBadPasswordsLoudly) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	if err := p.Validate(); err != nil {
		return plugin.Account{}, err
	}
	return s.memory.Authenticate(ctx, k, p)
}

// talks tells in its errors what was typed.
type talks struct{ *memory }

func (s talks) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	a, err := s.memory.Authenticate(ctx, k, p)
	if err != nil {
		err = fmt.Errorf("%w for %s", err, k.Value)
	}
	return a, err
}

// keepsOldPasswords accepts all passwords that an account has ever had.
type keepsOldPasswords struct {
	*memory
	old map[plugin.ID]plugin.Secret
}

func (s keepsOldPasswords) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) error {
	s.mu.Lock()
	if e := s.accounts[id]; e != nil {
		s.old[id] = e.password
	}
	s.mu.Unlock()
	return s.memory.SetPassword(ctx, id, p)
}

func (s keepsOldPasswords) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	s.mu.Lock()
	if old, known := s.old[s.keys[k.Canonical].owner]; known && !old.Empty() && old.Equal(p) {
		defer s.mu.Unlock()
		return s.show(s.keys[k.Canonical].owner)
	}
	s.mu.Unlock()
	return s.memory.Authenticate(ctx, k, p)
}

// setsPasswords is the reference store with another SetPassword.
type setsPasswords struct {
	*memory
	set func(ctx context.Context, m *memory, id plugin.ID, p plugin.Secret) error
}

func (s setsPasswords) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) error {
	return s.set(ctx, s.memory, id, p)
}

func unlocks(ctx context.Context, m *memory, id plugin.ID, p plugin.Secret) error {
	err := m.SetPassword(ctx, id, p)
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.accounts[id]; e != nil {
		e.account.State = plugin.State{}
	}
	return err
}

func onlyReplaces(ctx context.Context, m *memory, id plugin.ID, p plugin.Secret) error {
	m.mu.Lock()
	without := m.accounts[id] != nil && m.accounts[id].password.Empty()
	m.mu.Unlock()
	if without {
		return nil
	}
	return m.SetPassword(ctx, id, p)
}

func ignoresAbsent(ctx context.Context, m *memory, id plugin.ID, p plugin.Secret) error {
	if err := m.SetPassword(ctx, id, p); !errors.Is(err, plugin.ErrNotFound) {
		return err
	}
	return nil
}

func takesEmpty(ctx context.Context, m *memory, id plugin.ID, p plugin.Secret) error {
	if p.Empty() {
		return nil
	}
	return m.SetPassword(ctx, id, p)
}

func setsTheClockBack(ctx context.Context, m *memory, id plugin.ID, p plugin.Secret) error {
	err := m.SetPassword(ctx, id, p)
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.accounts[id]; e != nil {
		e.changedAt = e.changedAt.Add(-time.Hour)
	}
	return err
}

// The ways in which a store can judge passwords wrongly.

func opensWithEmpty(_, typed string) bool { return typed == "" }

func opensWithoutPassword(stored, _ string) bool { return stored == "" }

func opensAfter72(stored, typed string) bool {
	return len(stored) > 72 && len(typed) >= 72 && stored[:72] == typed[:72]
}

func opensTrimmed(stored, typed string) bool {
	return typed != "" && strings.TrimSpace(stored) == strings.TrimSpace(typed)
}
