package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/failpoint"
)

// Failpoints lists the places inside this package's transactions where the crash tests kill the process.
func Failpoints() []string {
	return []string{
		"state.insert.between", "state.insert.uncommitted", "state.insert.committed",
		"state.commit.between", "state.commit.uncommitted", "state.commit.committed",
		"state.count.before", "state.count.after",
	}
}

// Insert stores a new registration and its messages in one transaction, the messages leased to this process, and takes
// from its budgets; a *SpentError where one is spent or the client has too many open registrations. Without messages it
// does not wait for the disk. Version, Attempts and the times of row are ignored; it comes back with those it got.
func (db *DB) Insert(ctx context.Context, row Row, messages ...Message) (Row, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return Row{}, fmt.Errorf("insert a registration: %w", err)
	}
	row.Version, row.CreatedAt, row.ExpiresAt = 1, now, now.Add(db.cfg.Lifetime)
	row.IdleUntil = earlier(now.Add(db.idle(row)), row.ExpiresAt)
	limited := row.Client
	if row.OpenLimit > 0 && row.Client != "" {
		row.Takes = append(row.Takes, db.openSlot(row))
	} else {
		limited = ""
	}
	err = db.insertShortly(ctx, row, limited, messages, now)
	if errors.Is(err, errUnusual) {
		row.WasSilenced, err = db.insertAtLength(ctx, row, limited, messages, now)
	}
	if err != nil {
		return Row{}, fmt.Errorf("insert a registration: %w", err)
	}
	failpoint.Hit("state.insert.committed")
	return row, nil
}

// insertShortly writes a row without messages in one message to the database, if that is possible. Otherwise it is
// errUnusual, and nothing is written.
func (db *DB) insertShortly(ctx context.Context, row Row, limited string, messages []Message, now time.Time) error {
	if len(messages) > 0 || !db.dialect.writesInOne || len(row.Takes) > mostTakes {
		return errUnusual
	}
	failpoint.Hit("state.insert.between")
	failpoint.Hit("state.insert.uncommitted")
	if len(row.Takes) > 0 {
		return db.insertTogether(ctx, row, limited, now)
	}
	_, err := db.insertRow(ctx, db.stmt.insertRow, row, limited)
	return err
}

// tooManyOpen stands for the client in a row that must not be: it is rolled back.
const tooManyOpen = "too many"

// insertAtLength takes from the row's budgets, writes it and stores its messages, one after the other.
func (db *DB) insertAtLength(ctx context.Context, row Row, limited string, messages []Message, now time.Time) (silenced bool, err error) {
	transact := db.transact
	if len(messages) == 0 {
		transact = db.transactAsync
	}
	err = transact(ctx, func(tx *sql.Tx) error {
		if silenced, err = db.take(ctx, tx, row.Takes, now); err != nil {
			return err
		}
		client, err := db.insertRow(ctx, tx.StmtContext(ctx, db.stmt.insertRow), row, limited)
		if err != nil {
			return err
		}
		if client == tooManyOpen {
			return db.tooMany(ctx, tx, row.Client, now)
		}
		failpoint.Hit("state.insert.between")
		if silenced {
			messages = nil
		}
		if err := db.insertMessages(ctx, tx, messages, now); err != nil {
			return err
		}
		failpoint.Hit("state.insert.uncommitted")
		return nil
	})
	return silenced, err
}

// insertRow writes a new row. It returns its client, or tooManyOpen.
func (db *DB) insertRow(ctx context.Context, stmt *sql.Stmt, row Row, limited string) (client string, err error) {
	err = stmt.QueryRowContext(ctx, insertValues(row, limited)...).Scan(&client)
	return client, err
}

// insertValues are the parameters of insertStatement.
func insertValues(row Row, limited string) []any {
	return []any{
		row.Ref, row.Locator, row.Flow, row.Step, string(row.Phase), string(row.SealedFor), row.Sealed, row.Server,
		millis(row.RunNotAfter), millis(row.ResolveAt), row.AttemptLimit, millis(row.CreatedAt), millis(row.IdleUntil),
		millis(row.ExpiresAt), limited, int64(row.OpenLimit),
	}
}

// Load returns the registration that a token's locator finds, or ErrGone.
func (db *DB) Load(ctx context.Context, locator []byte) (Row, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return Row{}, fmt.Errorf("load a registration: %w", err)
	}
	row, err := scanRow(db.stmt.load.QueryRowContext(ctx, locator, millis(now)))
	if errors.Is(err, sql.ErrNoRows) {
		return Row{}, ErrGone
	}
	if err != nil {
		return Row{}, fmt.Errorf("load a registration: %w", err)
	}
	return row, nil
}

// Delete removes the registration as it was read; ErrStale when somebody has written it since.
func (db *DB) Delete(ctx context.Context, row Row) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := exactlyOne(db.stmt.deleteRow.ExecContext(ctx, row.Ref, row.Version)); err != nil {
		return fmt.Errorf("delete a registration: %w", err)
	}
	return nil
}

func (db *DB) idle(row Row) time.Duration {
	if row.IdleFor > 0 {
		return row.IdleFor
	}
	return db.cfg.Idle
}

// exactlyOne turns a write that hit no row into ErrStale.
func exactlyOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n != 1 {
		return ErrStale
	}
	return nil
}

func scanRow(from interface{ Scan(...any) error }) (Row, error) {
	var (
		row                                         Row
		phase, sealedFor                            string
		notAfter, resolveAt, created, idle, expires int64
	)
	err := from.Scan(&row.Ref, &row.Locator, &row.Flow, &row.Step, &phase, &row.Version, &sealedFor, &row.Sealed, &row.Server,
		&notAfter, &resolveAt, &row.Attempts, &row.AttemptLimit, &created, &idle, &expires)
	row.Phase, row.SealedFor = Phase(phase), Reader(sealedFor)
	row.RunNotAfter, row.ResolveAt = fromMillis(notAfter), fromMillis(resolveAt)
	row.CreatedAt, row.IdleUntil, row.ExpiresAt = fromMillis(created), fromMillis(idle), fromMillis(expires)
	return row, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
