package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/narthex/narthex/plugin"
)

// errPowerless is an execution whose attempt was resolved, or finished by another execution, since it began.
var errPowerless = errors.New("the attempt was settled meanwhile")

// Create implements plugin.Persister.
func (s *Store) Create(ctx context.Context, a plugin.NewAccount) (_ plugin.Account, err error) {
	run := execution{began: s.now()}
	if err := a.Validate(); err != nil {
		return plugin.Account{}, err
	}
	shortly := s.dialect.together && s.serverClock
	if !shortly { // a look is cheap here, and spares an attempt that is done a hash
		if done, err := s.look(ctx, a.Attempt, &run); err != nil || done != "" {
			return s.made(ctx, done, err)
		}
	}
	var hash string
	if !a.Password.Empty() {
		if hash, err = s.hasher.hash(ctx, a.Password); err != nil {
			return plugin.Account{}, s.classify("create", err)
		}
	}
	s.hook("sqlstore.create.hashed")
	id, err := newID()
	if err != nil {
		return plugin.Account{}, err
	}
	now := s.now()
	all := append(accountRows(id, a, hash, now), keyRows(id, a.Keys, now))
	if shortly {
		if err := s.createShortly(ctx, a, run, id, all); !errors.Is(err, errUnusual) {
			return s.created(a, id, now, err)
		}
		if done, err := s.look(ctx, a.Attempt, &run); err != nil || done != "" {
			return s.made(ctx, done, err)
		}
	}
	if err = s.createAtLength(ctx, a, run, id, all); errors.Is(err, errPowerless) {
		return s.joined(ctx, a.Attempt)
	}
	return s.created(a, id, now, err)
}

// created answers for an execution that has made the account, or failed to.
func (s *Store) created(a plugin.NewAccount, id plugin.ID, now time.Time, err error) (plugin.Account, error) {
	if err != nil {
		return plugin.Account{}, s.classify("create", err)
	}
	s.hook("sqlstore.create.committed")
	return a.Account(id, now), nil
}

// createAtLength writes an account's rows, its keys last, one after the other in one transaction.
func (s *Store) createAtLength(ctx context.Context, a plugin.NewAccount, run execution, id plugin.ID, all []*rows) error {
	return s.transact(ctx, func(tx *transaction) error {
		if err := s.settle(ctx, tx, a.Attempt, run, id); err != nil {
			return err
		}
		if err := s.takeKeys(ctx, tx, id, a.Keys, all...); err != nil {
			return err
		}
		s.hook("sqlstore.create.uncommitted")
		return s.inTime(a.NotAfter)
	})
}

// Resolve implements plugin.Persister.
func (s *Store) Resolve(ctx context.Context, attempt plugin.Attempt, _ []plugin.Key) (plugin.Account, error) {
	if err := attempt.Validate(); err != nil {
		return plugin.Account{}, err
	}
	var made sql.NullString
	err := s.writer.QueryRowContext(ctx, `INSERT INTO attempts (attempt, generation, account, touched_at) VALUES ($1, 1, NULL, $2)
		ON CONFLICT (attempt) DO UPDATE SET generation = attempts.generation + 1, touched_at = excluded.touched_at
		RETURNING account`, string(attempt), s.now().UnixMicro()).Scan(&made)
	if err != nil {
		return plugin.Account{}, s.classify("resolve", s.settled(err))
	}
	if !made.Valid {
		return plugin.Account{}, fmt.Errorf("resolve: %w", plugin.ErrNotFound)
	}
	return s.Get(ctx, plugin.ID(made.String))
}

// look tells what an attempt has made, and the execution in which generation it is.
func (s *Store) look(ctx context.Context, attempt plugin.Attempt, run *execution) (made plugin.ID, err error) {
	var account sql.NullString
	err = s.reads.QueryRowContext(ctx, `SELECT generation, account FROM attempts WHERE attempt = $1`, string(attempt)).Scan(&run.generation, &account)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return plugin.ID(account.String), err
}

// made answers with the account that an earlier execution made.
func (s *Store) made(ctx context.Context, id plugin.ID, err error) (plugin.Account, error) {
	if err != nil {
		return plugin.Account{}, s.classify("create", err)
	}
	account, err := s.Get(ctx, id)
	if errors.Is(err, plugin.ErrNotFound) {
		return plugin.Account{}, fmt.Errorf("create: the attempt's account was deleted: %w", plugin.ErrConflict)
	}
	return account, err
}

// joined answers for an execution that found its attempt settled at the last moment.
func (s *Store) joined(ctx context.Context, attempt plugin.Attempt) (plugin.Account, error) {
	made, err := s.look(ctx, attempt, &execution{})
	if err == nil && made == "" {
		return plugin.Account{}, fmt.Errorf("create: the attempt was resolved: %w", plugin.ErrUnavailable)
	}
	return s.made(ctx, made, err)
}

// execution is one run of an attempt: the generation that it found, and when it began. Resolve makes it powerless by
// raising the generation, and by its own time those that had begun and not yet looked.
type execution struct {
	generation int64
	began      time.Time
}

// settle writes that the attempt has made this account, unless it was resolved since the execution began.
func (s *Store) settle(ctx context.Context, tx *transaction, attempt plugin.Attempt, run execution, id plugin.ID) error {
	row := s.attemptRow(attempt, run, id)
	result, err := tx.ExecContext(ctx, row.text(1), append(row.values, row.more...)...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errPowerless, err)
	}
	return nil
}

// attemptRow is what settle writes.
func (s *Store) attemptRow(attempt plugin.Attempt, run execution, id plugin.ID) *rows {
	row := newRows("attempts", "attempt", "generation", "account", "touched_at")
	row.add(string(attempt), 0, string(id), s.now().UnixMicro())
	row.suffix = `ON CONFLICT (attempt) DO UPDATE SET account = excluded.account, touched_at = excluded.touched_at
		WHERE attempts.generation = $next AND attempts.account IS NULL AND attempts.touched_at < $next`
	row.more = []any{run.generation, run.began.UnixMicro()}
	return row
}

// inTime is the last look at the clock before a commit.
func (s *Store) inTime(notAfter time.Time) error {
	if s.now().After(notAfter) {
		return fmt.Errorf("too late to commit: %w", plugin.ErrUnavailable)
	}
	return nil
}

// accountRows are the rows of a new account, but for its keys.
func accountRows(id plugin.ID, a plugin.NewAccount, hash string, now time.Time) []*rows {
	var changed int64
	if hash != "" {
		changed = now.UnixMilli()
	}
	account := newRows("accounts", "id", "username", "password", "password_changed_at", "locked", "reason", "created_at")
	account.add(string(id), a.Username(), hash, changed, a.State.Locked, a.State.Reason, now.UnixMilli())
	attributes := newRows("attributes", "account", "name", "position", "type", "text")
	for name, values := range a.Attributes {
		for i, v := range values {
			attributes.add(string(id), name, i, string(v.Type), v.Text)
		}
	}
	groups := newRows("account_groups", "account", "name")
	for _, g := range slices.Compact(slices.Sorted(slices.Values(a.Groups))) {
		groups.add(string(id), g)
	}
	return []*rows{account, attributes, groups}
}

// newID draws 128 random bits: no id ever comes back.
func newID() (plugin.ID, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw an id: %w", err)
	}
	return plugin.ID(hex.EncodeToString(b)), nil
}
