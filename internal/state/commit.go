package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/failpoint"
)

// Commit writes the row and its messages in one transaction, if the row still has row.Version and has not expired;
// otherwise nothing is written and the error is ErrStale. It takes from the row's budgets, and is a *SpentError, with
// nothing written, where one is spent. The messages are leased to this process. The row comes back with its new version
// and times. A completed row without messages does not wait for the disk.
func (db *DB) Commit(ctx context.Context, row Row, messages ...Message) (Row, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return Row{}, fmt.Errorf("commit a registration: %w", err)
	}
	idle := now.Add(db.idle(row))
	err = db.commitShortly(ctx, row, messages, idle, now)
	if errors.Is(err, errUnusual) {
		row.WasSilenced, err = db.commitAtLength(ctx, row, messages, idle, now)
	}
	if err != nil {
		return Row{}, fmt.Errorf("commit a registration: %w", err)
	}
	failpoint.Hit("state.commit.committed")
	row.Version++
	row.IdleUntil = earlier(idle, row.ExpiresAt)
	if row.ResetAttempts {
		row.Attempts, row.ResetAttempts = 0, false
	}
	return row, nil
}

// errUnusual ends the attempt to write everything in one statement: something must be refused or left out, and the long
// way finds out what.
var errUnusual = errors.New("a commit needs more than one statement")

// commitShortly writes everything in one statement, if that is possible: it is a transaction by itself, and saves the
// brackets of one. Otherwise it is errUnusual, and nothing is written.
func (db *DB) commitShortly(ctx context.Context, row Row, messages []Message, idle, now time.Time) error {
	alone := len(row.Takes) == 0 && len(messages) == 0
	if !alone && !db.dialect.writesInOne || len(row.Takes) > mostTakes {
		return errUnusual
	}
	failpoint.Hit("state.commit.between")
	failpoint.Hit("state.commit.uncommitted")
	if alone && row.Phase == PhaseCompleted {
		return exactlyOne(db.execAsync(ctx, db.stmt.completeRow, updateValues(row, idle, now)...))
	}
	if alone {
		return db.update(ctx, db.stmt.commitRow, row, idle, now)
	}
	return db.commitInOne(ctx, row, merged(row.Takes), messages, idle, now)
}

// commitAtLength writes the row, takes from its budgets and stores its messages, one after the other. silenced tells
// that a silent budget was spent, and the messages were left out.
func (db *DB) commitAtLength(ctx context.Context, row Row, messages []Message, idle, now time.Time) (silenced bool, err error) {
	err = db.transact(ctx, func(tx *sql.Tx) error {
		if err := db.update(ctx, tx.StmtContext(ctx, db.stmt.commitRow), row, idle, now); err != nil {
			return err
		}
		failpoint.Hit("state.commit.between")
		if silenced, err = db.take(ctx, tx, row.Takes, now); err != nil {
			return err
		}
		if silenced {
			return db.silence(ctx, tx, row)
		}
		if err := db.insertMessages(ctx, tx, messages, now); err != nil {
			return err
		}
		failpoint.Hit("state.commit.uncommitted")
		return nil
	})
	return silenced, err
}

// update writes a row's new version.
func (db *DB) update(ctx context.Context, commitRow *sql.Stmt, row Row, idle, now time.Time) error {
	return exactlyOne(commitRow.ExecContext(ctx, updateValues(row, idle, now)...))
}

// updateValues are the parameters of commitStatement.
func updateValues(row Row, idle, now time.Time) []any {
	return []any{
		row.Ref, row.Version, row.Locator, row.Step, string(row.Phase), string(row.SealedFor), row.Sealed, row.Server,
		millis(row.RunNotAfter), millis(row.ResolveAt), row.ResetAttempts, row.AttemptLimit, millis(idle), millis(now),
	}
}

// silence stores what a registration is when its messages were left out.
func (db *DB) silence(ctx context.Context, tx *sql.Tx, row Row) error {
	if row.Silenced == nil {
		return nil
	}
	_, err := tx.StmtContext(ctx, db.stmt.budgets.silence).ExecContext(ctx, row.Ref, row.Silenced)
	return err
}
