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
	answer, judged := s.authenticateAtReader(ctx, k, p)
	if judged != nil && answer == directory.LoginGranted {
		return s.account(*judged)
	}
	e, login, err := s.find(ctx, k)
	if err != nil && !errors.Is(err, plugin.ErrNotFound) {
		return plugin.Account{}, reading("authenticate", err)
	}
	// A lock that the server does not know, or answers sooner for, is ours to keep.
	if err != nil || !login || s.settings.StateOf(e, s.now()).Locked {
		return plugin.Account{}, s.deny(ctx, p)
	}
	if judged == nil || !s.sameAccount(*judged, e) {
		if answer, err = s.pool.Authenticate(ctx, e.DN, p.Reveal()); err != nil {
			return plugin.Account{}, reading("authenticate", err)
		}
	}
	if answer == directory.LoginGranted {
		return s.account(e)
	}
	if answer == directory.LoginDenied {
		return plugin.Account{}, s.denied(ctx, e.DN, p)
	}
	return plugin.Account{}, s.deny(ctx, p)
}

// authenticateAtReader lets a reader judge, who is found there, and returns the entry by which it did; nil where none did. What
// it grants counts. What it refuses the writer judges again where its entry is another one, so that a wrong password
// is counted once.
func (s *Store) authenticateAtReader(ctx context.Context, k plugin.Key, p plugin.Secret) (directory.Login, *directory.Entry) {
	owner, at := s.glance(ctx, k)
	if at == nil || !owner.Login || s.settings.StateOf(owner.Entry, s.now()).Locked {
		return directory.LoginDenied, nil
	}
	ctx, cancel := patience(ctx)
	defer cancel()
	answer, err := at.Authenticate(ctx, owner.Entry.DN, p.Reveal())
	if err != nil {
		return directory.LoginDenied, nil
	}
	if _, err := s.account(owner.Entry); err != nil {
		return directory.LoginDenied, nil
	}
	return answer, &owner.Entry
}

// deny refuses a name that nobody has, or that may not log in, at the cost of a wrong password: the decoy's is judged.
func (s *Store) deny(ctx context.Context, p plugin.Secret) error {
	decoy := s.decoy()
	answer, err := s.pool.Authenticate(ctx, decoy, p.Reveal())
	if err != nil {
		return reading("authenticate", err)
	}
	if answer == directory.LoginLocked {
		s.renewDecoy(ctx)
	}
	return s.denied(ctx, decoy, p)
}

// denied refuses what the server has denied. It looks whether there is a password at all: an entry without one is denied
// before anything is computed.
func (s *Store) denied(ctx context.Context, dn directory.DN, p plugin.Secret) error {
	refused := fmt.Errorf("authenticate: %w", plugin.ErrDenied)
	if !s.seesPasswords {
		return refused
	}
	found, err := s.ops.Search(ctx, dn, directory.Base, directory.Present("userPassword"), 1, "1.1")
	if err != nil && !directory.Refused(err, directory.NoSuchObject) {
		return reading("authenticate", err)
	}
	if len(found) == 0 && dn != s.decoy() {
		return s.deny(ctx, p)
	}
	return refused
}

// SetPassword implements plugin.PasswordSetter.
func (s *Store) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if p.Empty() || p.Validate() != nil {
		return fmt.Errorf("set password: %w", plugin.Refused(plugin.PasswordField, plugin.CodeInvalid))
	}
	defer s.changing(id)()
	e, err := s.entry(ctx, id)
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
