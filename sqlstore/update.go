package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/plugin"
)

// Update implements plugin.Updater.
func (s *Store) Update(ctx context.Context, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	run := execution{began: s.now()}
	if err := errors.Join(id.Validate(), c.Validate()); err != nil {
		return plugin.Account{}, err
	}
	if c.Identifier != nil {
		if done, err := s.look(ctx, c.Identifier.Attempt, &run); err != nil || done != "" {
			return s.made(ctx, done, err)
		}
	}
	var after []plugin.Account
	err := s.transact(ctx, func(tx *transaction) error {
		if err := s.apply(ctx, tx, id, c, run); err != nil {
			return err
		}
		var err error
		after, err = accounts(ctx, tx, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, string(id))
		return err
	})
	if errors.Is(err, errPowerless) {
		return s.joined(ctx, c.Identifier.Attempt)
	}
	if err != nil {
		return plugin.Account{}, s.classify("update", err)
	}
	return after[0], nil
}

// apply makes the one change that c holds.
func (s *Store) apply(ctx context.Context, tx *transaction, id plugin.ID, c plugin.Change, run execution) error {
	var locked bool
	err := tx.QueryRowContext(ctx, `SELECT locked FROM accounts WHERE id = $1`+s.dialect.lockRow, string(id)).Scan(&locked)
	if err != nil {
		return err
	}
	switch {
	case c.Attributes != nil:
		for name, change := range c.Attributes {
			if err := s.changeAttribute(ctx, tx, id, name, change); err != nil {
				return err
			}
		}
		return withinBounds(ctx, tx, id)
	case c.State != nil:
		if locked != c.State.Old.Locked {
			return fmt.Errorf("the account is in another state: %w", plugin.ErrConflict)
		}
		_, err := tx.ExecContext(ctx, `UPDATE accounts SET locked = $2, reason = $3 WHERE id = $1`, string(id), c.State.New.Locked, c.State.New.Reason)
		return err
	case c.Groups != nil:
		return s.changeGroups(ctx, tx, id, c.Groups)
	default:
		return s.changeIdentifier(ctx, tx, id, c.Identifier, run)
	}
}

func (s *Store) changeAttribute(ctx context.Context, tx *transaction, id plugin.ID, name string, c plugin.AttributeChange) error {
	var ofKey bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM identifiers WHERE account = $1 AND attribute = $2 AND held_until IS NULL)`, string(id), name).Scan(&ofKey)
	if err != nil {
		return err
	}
	if ofKey {
		return plugin.Refused(name, plugin.CodeReadOnly)
	}
	now := map[plugin.Value]bool{}
	err = each(ctx, tx, `SELECT type, text FROM attributes WHERE account = $1 AND name = $2`, []any{string(id), name}, func(r *sql.Rows) error {
		var kind, text string
		err := r.Scan(&kind, &text)
		now[plugin.Value{Type: plugin.ValueType(kind), Text: text}] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, v := range c.Old {
		if !now[v] {
			return fmt.Errorf("attribute %q holds another value: %w", name, plugin.ErrConflict)
		}
	}
	if len(now) != distinct(c.Old) {
		return fmt.Errorf("attribute %q holds another value: %w", name, plugin.ErrConflict)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM attributes WHERE account = $1 AND name = $2`, string(id), name); err != nil {
		return err
	}
	rows := newRows("attributes", "account", "name", "position", "type", "text")
	for i, v := range c.New {
		rows.add(string(id), name, i, string(v.Type), v.Text)
	}
	_, err = s.insert(ctx, tx, rows)
	return err
}

func distinct(values []plugin.Value) int {
	set := map[plugin.Value]bool{}
	for _, v := range values {
		set[v] = true
	}
	return len(set)
}

// withinBounds keeps many small changes from making an account larger than one creation could.
func withinBounds(ctx context.Context, tx *transaction, id plugin.ID) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(DISTINCT name) FROM attributes WHERE account = $1`, string(id)).Scan(&n); err != nil {
		return err
	}
	if n > plugin.MaxAttributes {
		return fmt.Errorf("more than %d attributes: %w", plugin.MaxAttributes, plugin.ErrInvalid)
	}
	return nil
}

func (s *Store) changeGroups(ctx context.Context, tx *transaction, id plugin.ID, c *plugin.GroupChange) error {
	rows := newRows("account_groups", "account", "name")
	for _, g := range c.Add {
		rows.add(string(id), g)
	}
	rows.suffix = "ON CONFLICT DO NOTHING"
	if _, err := s.insert(ctx, tx, rows); err != nil {
		return err
	}
	for _, g := range c.Remove {
		if _, err := tx.ExecContext(ctx, `DELETE FROM account_groups WHERE account = $1 AND name = $2`, string(id), g); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) changeIdentifier(ctx context.Context, tx *transaction, id plugin.ID, c *plugin.IdentifierChange, run execution) error {
	now := s.now()
	if err := s.settle(ctx, tx, c.Attempt, run, id); err != nil {
		return err
	}
	if c.Drop != nil {
		if err := dropKey(ctx, tx, id, *c.Drop, now.Add(c.Hold)); err != nil {
			return err
		}
	}
	if c.Add != nil {
		if err := s.takeKeys(ctx, tx, id, []plugin.Key{*c.Add}, keyRows(id, []plugin.Key{*c.Add}, now)); err != nil {
			return err
		}
	}
	return s.inTime(c.NotAfter)
}

// Delete implements plugin.Persister. The account's keys go with it, those that are held back for it too.
func (s *Store) Delete(ctx context.Context, id plugin.ID) error {
	if err := id.Validate(); err != nil {
		return err
	}
	_, err := s.write(ctx, `DELETE FROM accounts WHERE id = $1`, string(id))
	return s.classify("delete", err)
}

const (
	// forgetAttempts is when an attempt that made nothing is forgotten: long after any execution's NotAfter.
	forgetAttempts = 24 * time.Hour
	// maintainBatch bounds one call of Maintain.
	maintainBatch = 500
)

// Maintain implements plugin.Maintainer: it removes keys whose hold is over and attempts that made nothing.
func (s *Store) Maintain(ctx context.Context) (plugin.MaintainReport, error) {
	var report plugin.MaintainReport
	now := s.now()
	for _, sweep := range []struct {
		query string
		until int64
	}{
		{`DELETE FROM identifiers WHERE canonical IN (SELECT canonical FROM identifiers WHERE held_until <= $1 LIMIT $2)`, now.UnixMilli()},
		{`DELETE FROM attempts WHERE attempt IN (SELECT attempt FROM attempts WHERE account IS NULL AND touched_at <= $1 LIMIT $2)`, now.Add(-forgetAttempts).UnixMicro()},
	} {
		result, err := s.writer.ExecContext(ctx, sweep.query, sweep.until, maintainBatch)
		if err != nil {
			return report, s.classify("maintain", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return report, s.classify("maintain", err)
		}
		report.Removed += int(n)
		report.More = report.More || n == maintainBatch
	}
	return report, nil
}
