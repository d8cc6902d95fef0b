package ldapstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Authenticate implements plugin.Authenticator. The directory judges, by a bind; for a name that nobody has it judges the
// decoy's password, so that it takes as long.
func (s *Store) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	if p.Empty() || p.Validate() != nil {
		return plugin.Account{}, fmt.Errorf("authenticate: %w", plugin.ErrDenied)
	}
	e, login, err := s.find(ctx, k)
	if err != nil && !errors.Is(err, plugin.ErrNotFound) {
		return plugin.Account{}, reading("authenticate", err)
	}
	if err != nil || !login {
		return plugin.Account{}, s.deny(ctx, p)
	}
	answer, err := s.pool.Authenticate(ctx, e.DN, p.Reveal())
	if err != nil {
		return plugin.Account{}, reading("authenticate", err)
	}
	// What the server does not know holds as well: shadowExpire, or a lock without the overlay that heeds it.
	if answer != directory.LoginGranted || !s.settings.Usable(e, s.now()) {
		return plugin.Account{}, fmt.Errorf("authenticate: %w", plugin.ErrDenied)
	}
	return s.account(e)
}

// deny refuses a name that nobody has, at the cost of a wrong password.
func (s *Store) deny(ctx context.Context, p plugin.Secret) error {
	answer, err := s.pool.Authenticate(ctx, s.decoy(), p.Reveal())
	if err != nil {
		return reading("authenticate", err)
	}
	if answer == directory.LoginLocked {
		s.renewDecoy(ctx)
	}
	return fmt.Errorf("authenticate: %w", plugin.ErrDenied)
}

// SetPassword implements plugin.PasswordSetter.
func (s *Store) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if p.Empty() || p.Validate() != nil {
		return fmt.Errorf("set password: %w", plugin.Refused(plugin.PasswordField, plugin.CodeInvalid))
	}
	e, err := s.entry(ctx, s.ops, id)
	if err != nil {
		return reading("set password", err)
	}
	// A new password takes pwdAccountLockedTime away (slapo-ppolicy): the account is unlocked first, or stays as it is.
	if s.settings.Lock.Method == entry.LockPolicy && s.settings.StateOf(e, s.now()).Locked {
		return fmt.Errorf("set password: %w: the directory would unlock the account", plugin.ErrConflict)
	}
	if err := s.writePassword(ctx, e.DN, p); err != nil {
		return writing("set password", entry.PasswordRefusal(err))
	}
	return nil
}

func (s *Store) writePassword(ctx context.Context, dn directory.DN, p plugin.Secret) error {
	if s.passwords.Later() {
		return s.ops.SetPassword(ctx, dn, p.Reveal())
	}
	changes, err := s.passwords.Change(ctx, p)
	if err != nil {
		return err
	}
	return s.ops.Modify(ctx, dn, changes, directory.Filter{})
}
