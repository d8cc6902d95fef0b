package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/narthex/narthex/plugin"
)

// errUnsettled marks a write that was sent and not answered with a plain yes or no.
var errUnsettled = errors.New("the write was not answered")

// classify puts a database's error under the contract's sentinels. What is no database error (a sentinel, a context
// error) stays as it is.
func (s *Store) classify(operation string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errUnsettled):
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnknownOutcome, err)
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", operation, plugin.ErrNotFound)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", operation, err)
	}
	switch s.dialect.judge(err) {
	case unavailable, conflict, unanswered:
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnavailable, err)
	case invalid:
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrInvalid, err)
	case unknown:
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// conflicts is how often a transaction is tried that was in another one's way.
const conflicts = 5

// transact runs f in one transaction, anew when the database has sacrificed it to another one. A commit that fails
// without having been refused is unsettled.
func (s *Store) transact(ctx context.Context, f func(*transaction) error) (err error) {
	for range conflicts {
		if err = s.transactOnce(ctx, f); s.dialect.judge(err) != conflict {
			return err
		}
	}
	return err
}

func (s *Store) transactOnce(ctx context.Context, f func(*transaction) error) error {
	tx, err := s.writer.begin(ctx)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		// Where rolling back fails, the connection is gone, and the transaction with it.
		_ = tx.Rollback()
		return err
	}
	// Too late is decided here, where nothing was sent yet.
	if err := ctx.Err(); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil && !s.dialect.refused(err) {
		return fmt.Errorf("%w: %w", errUnsettled, err)
	} else if err != nil {
		return err
	}
	return nil
}

// write runs one statement that is a transaction of its own.
func (s *Store) write(ctx context.Context, text string, args ...any) (sql.Result, error) {
	result, err := s.writer.ExecContext(ctx, text, args...)
	return result, s.settled(err)
}

// settled marks the error of a write that may have happened.
func (s *Store) settled(err error) error {
	if err == nil {
		return nil
	}
	late := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if late || s.dialect.judge(err) == unanswered {
		return fmt.Errorf("%w: %w", errUnsettled, err)
	}
	return err
}
