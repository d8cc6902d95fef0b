package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// keyRows are the keys that an account is to hold. A key that was dropped is free for the account that dropped it, and for
// others when its time is over; one that somebody holds leaves the statement with a row less.
func keyRows(id plugin.ID, keys []plugin.Key, now time.Time) *rows {
	rows := newRows("identifiers", "canonical", "account", "kind", "value", "attribute", "login")
	// In one order for everybody: two callers that want the same keys wait for one another in turn, never in a circle.
	inOrder := slices.SortedFunc(slices.Values(keys), func(a, b plugin.Key) int { return strings.Compare(a.Canonical, b.Canonical) })
	for _, k := range inOrder {
		rows.add(k.Canonical, string(id), string(k.Kind), k.Value, k.Attribute, k.Login)
	}
	rows.suffix = `ON CONFLICT (canonical) DO UPDATE SET account = excluded.account, kind = excluded.kind,
		value = excluded.value, attribute = excluded.attribute, login = excluded.login, held_until = NULL
		WHERE identifiers.held_until IS NOT NULL AND (identifiers.held_until <= $next OR identifiers.account = excluded.account)`
	rows.more = []any{now.UnixMilli()}
	return rows
}

// takeKeys writes rows, of which the last are those of the keys. It gives the account all keys, or is the error of the
// first that is taken.
func (s *Store) takeKeys(ctx context.Context, tx *transaction, id plugin.ID, keys []plugin.Key, all ...*rows) error {
	result, err := s.insert(ctx, tx, all...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == int64(len(keys)) {
		return err
	}
	for _, k := range keys {
		var owner string
		var held sql.NullInt64
		err := tx.QueryRowContext(ctx, `SELECT account, held_until FROM identifiers WHERE canonical = $1`, k.Canonical).Scan(&owner, &held)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("a key was given back this moment: %w", plugin.ErrUnavailable)
		}
		if err != nil {
			return err
		}
		if owner != string(id) || len(keys) == 1 {
			return plugin.Taken(k.Attribute)
		}
	}
	return errors.New("a key was taken and nobody holds it")
}

// dropKey takes a key from an account and holds it back from others until then.
func dropKey(ctx context.Context, tx *transaction, id plugin.ID, k plugin.Key, until time.Time) error {
	result, err := tx.ExecContext(ctx, `UPDATE identifiers SET held_until = $3
		WHERE canonical = $1 AND account = $2 AND held_until IS NULL AND kind <> 'username'`, k.Canonical, string(id), until.UnixMilli())
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fmt.Errorf("drop a key that the account does not hold: %w", plugin.ErrConflict)
}
