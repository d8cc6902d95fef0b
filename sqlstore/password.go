package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/narthex/narthex/plugin"
)

// Authenticate implements plugin.Authenticator. Every refusal but that of an empty password costs one hash.
func (s *Store) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	if p.Empty() || p.Validate() != nil {
		return plugin.Account{}, fmt.Errorf("authenticate: %w", plugin.ErrDenied)
	}
	var id, hash string
	var locked bool
	err := s.reads.QueryRowContext(ctx, `SELECT a.id, a.password, a.locked FROM identifiers i JOIN accounts a ON a.id = i.account
		WHERE i.canonical = $1 AND i.login AND i.held_until IS NULL`, k.Canonical).Scan(&id, &hash, &locked)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return plugin.Account{}, s.classify("authenticate", err)
	}
	right, outdated, err := s.hasher.verify(ctx, hash, p)
	if err != nil {
		return plugin.Account{}, s.classify("authenticate", err)
	}
	if !right || locked {
		return plugin.Account{}, fmt.Errorf("authenticate: %w", plugin.ErrDenied)
	}
	account, err := s.Get(ctx, plugin.ID(id))
	if errors.Is(err, plugin.ErrNotFound) || err == nil && account.State.Locked {
		return plugin.Account{}, fmt.Errorf("authenticate: %w", plugin.ErrDenied)
	}
	if err == nil && outdated {
		s.rehash(account.ID, hash, p)
	}
	return account, err
}

// SetPassword implements plugin.PasswordSetter.
func (s *Store) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if p.Empty() || p.Validate() != nil {
		return plugin.Refused(plugin.PasswordField, plugin.CodeInvalid)
	}
	hash, err := s.hasher.hash(ctx, p)
	if err != nil {
		return s.classify("set a password", err)
	}
	result, err := s.write(ctx, `UPDATE accounts SET password = $2, password_changed_at = $3 WHERE id = $1`, string(id), hash, s.now().UnixMilli())
	if err != nil {
		return s.classify("set a password", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fmt.Errorf("set a password: %w", plugin.ErrNotFound), err)
	}
	return nil
}
