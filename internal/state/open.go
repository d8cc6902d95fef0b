package state

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

//go:embed migrations
var migrations embed.FS

// Defaults of Config.
const (
	DefaultIdle     = 30 * time.Minute
	DefaultLifetime = 2 * time.Hour
	// lease is how long a message belongs to the process that inserted or claimed it.
	lease = time.Minute
	// callLimit bounds every call, whatever the caller's context allows: a database that does not answer is an error.
	callLimit = 5 * time.Second
)

// Config says where the state is and how long it lives.
type Config struct {
	// DSN is the URL of a PostgreSQL database, which several processes can share. It holds a password: no error shows it.
	DSN string
	// Path of the SQLite file that is used where there is no DSN. Its folder is made if need be.
	Path string
	// Idle is how long a registration lives without a write, Lifetime how long in all.
	Idle, Lifetime time.Duration
	// Clock stands in for the state database's clock in tests.
	Clock func() time.Time
	// Owner names this process as the holder of leases, and no other process anywhere. Empty means a random name.
	Owner string
}

// DB is an open state database. Its methods may run at the same time; each ends within a few seconds, whatever happens.
type DB struct {
	cfg           Config
	dialect       dialect
	now           func() time.Time
	writer, reads *sql.DB
	lock          *os.File
	stmt          statements
}

// dialect holds the words in which databases differ. How each is opened stands in a file of its own; everything else is
// the same for all.
type dialect struct {
	// skipLocked ends a SELECT whose rows are claimed by the statement around it, so that two claimers never wait for
	// each other.
	skipLocked string
	// elements is the function that makes rows of a JSON array, each with a value.
	elements string
	// writesInOne: a statement can write several tables, see commitInOne.
	writesInOne bool
	// asynchronous ends a statement whose commit does not wait for the disk; empty where the connection is told.
	asynchronous string
}

// Open opens the database and brings its tables up to date. A SQLite file is taken for this process: ErrInUse when
// another one has it, and messages that a dead process had leased are free again. In PostgreSQL they are free when their
// lease of a minute is over.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Idle == 0 {
		cfg.Idle = DefaultIdle
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = DefaultLifetime
	}
	if cfg.Owner == "" {
		cfg.Owner = rand.Text()
	}
	db := &DB{cfg: cfg, now: time.Now}
	open := db.openSQLite
	if cfg.DSN != "" {
		open = db.openPostgreSQL
	}
	if cfg.Clock != nil {
		db.now = cfg.Clock
	}
	err := open(ctx)
	if err == nil {
		err = db.stmt.prepare(ctx, db.dialect, db.writer, db.reads)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the state database: %w", err), db.Close())
	}
	return db, nil
}

// Close gives everything back. Leases stay until they run out or the next process opens the database.
func (db *DB) Close() error {
	var errs []error
	db.stmt.close()
	if db.reads != nil && db.reads != db.writer {
		errs = append(errs, db.reads.Close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// Ping tells whether the database can be written.
func (db *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err == nil {
		_, err = db.stmt.ping.ExecContext(ctx, strconv.FormatInt(millis(now), 10))
	}
	if err != nil {
		return fmt.Errorf("write to the state database: %w", err)
	}
	return nil
}

// Now is the time by the state database's clock, the one clock that decides what has expired.
func (db *DB) Now(context.Context) (time.Time, error) { return db.now(), nil }

// Clock is Now for those who cannot deal with an error: it never fails.
func (db *DB) Clock() time.Time { return db.now() }

// transact runs f in one transaction of the writer. It prepares nothing: that would wait for the connection that the
// transaction has.
func (db *DB) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return finish(tx, f(tx))
}

// finish commits a transaction, or takes it back because of err.
func finish(tx *sql.Tx, err error) error {
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
