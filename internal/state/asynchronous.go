package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// Some writes are committed without waiting for the disk, because what follows makes up for them. They survive the end of
// this process, and the next write that waits takes them along; what fails must be the machine under SQLite, or the
// server of PostgreSQL. Then
//
//   - a completed registration is persisting again, until a worker finds its account;
//   - a message that was sent is sent once more;
//   - a registration that has just begun is gone, with nothing typed yet;
//   - a guess is not counted, which nobody can bring about from outside.
//
// On PostgreSQL they wait all the same where budgets are spent or several write at once, and need more than one statement.

// asynchronousCommit ends a statement of PostgreSQL that makes its own transaction one of them
// (https://www.postgresql.org/docs/current/wal-async-commit.html).
const asynchronousCommit = ` RETURNING set_config('synchronous_commit', 'off', true)`

// whereAsynchronous is the same at the end of a statement of parts.
const whereAsynchronous = ` WHERE set_config('synchronous_commit', 'off', true) = 'off'`

// execAsync runs a statement of PostgreSQL that ends with asynchronousCommit, or the same without that for SQLite.
func (db *DB) execAsync(ctx context.Context, stmt *sql.Stmt, args ...any) (result sql.Result, err error) {
	if db.dialect.asynchronous != "" {
		return stmt.ExecContext(ctx, args...)
	}
	err = db.transactAsync(ctx, func(tx *sql.Tx) error {
		result, err = tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		return err
	})
	return result, err
}

// transactAsync is transact without waiting for the disk in SQLite.
func (db *DB) transactAsync(ctx context.Context, f func(*sql.Tx) error) (err error) {
	if db.dialect.asynchronous != "" {
		return db.transact(ctx, f)
	}
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx = context.WithoutCancel(ctx) // a transaction that goes on behind our back would keep the setting from being put back
	if _, err := conn.ExecContext(ctx, `PRAGMA synchronous=NORMAL`); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, waitForDisk(ctx, conn)) }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return finish(tx, f(tx))
}

// waitForDisk makes a connection's commits wait for the disk again; one that will not is thrown away.
func waitForDisk(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `PRAGMA synchronous=FULL`)
	if err == nil {
		return nil
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	return err
}
