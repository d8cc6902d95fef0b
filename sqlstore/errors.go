package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/narthex/narthex/plugin"
)

// errUnsettled marks a commit that was sent and not answered with a plain yes or no.
var errUnsettled = errors.New("commit was not answered")

// classify puts a database's error under the contract's sentinels. What is no database error (a sentinel, a context
// error) stays as it is.
func classify(operation string, err error) error {
	var db *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errUnsettled):
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnknownOutcome, err)
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", operation, plugin.ErrNotFound)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", operation, err)
	case errors.As(err, &db) && unavailable(db.Code()):
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnavailable, err)
	default:
		return fmt.Errorf("%s: %w", operation, err)
	}
}

// unavailable tells the errors after which nothing has happened and a later try can succeed.
func unavailable(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return false
}

// transact runs f in one transaction. A commit that fails without having been refused is unsettled.
func (s *Store) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			return fmt.Errorf("%w (and rolling back: %w)", err, undo)
		}
		return err
	}
	err = tx.Commit()
	var db *sqlite.Error
	if errors.As(err, &db) && db.Code()&0xff == sqlite3.SQLITE_IOERR {
		return fmt.Errorf("%w: %w", errUnsettled, err)
	}
	return err
}
