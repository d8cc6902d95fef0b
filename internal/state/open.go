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
	// Path of the SQLite file. Its folder is made if need be.
	Path string
	// Idle is how long a registration lives without a write, Lifetime how long in all.
	Idle, Lifetime time.Duration
	// Clock is the state database's clock: time.Now outside tests.
	Clock func() time.Time
	// Owner names this process as the holder of leases. Empty means a random name.
	Owner string
}

// DB is an open state database. Its methods may run at the same time; each ends within a few seconds, whatever happens.
type DB struct {
	cfg           Config
	dialect       dialect
	writer, reads *sql.DB
	lock          *os.File
	stmt          statements
}

// dialect holds the words in which databases differ. How each is opened stands in a file of its own; everything else is
// the same for all.
type dialect struct {
	// skipLocked ends a SELECT whose rows are claimed by the UPDATE around it, so that two claimers never wait for each
	// other.
	skipLocked string
}

// Open opens the database, brings its tables up to date and takes it for this process: ErrInUse when another one has
// it. Messages that a dead process had leased are free again.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Idle == 0 {
		cfg.Idle = DefaultIdle
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = DefaultLifetime
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Owner == "" {
		cfg.Owner = rand.Text()
	}
	db := &DB{cfg: cfg}
	err := db.openSQLite(ctx)
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
	for _, pool := range []*sql.DB{db.reads, db.writer} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
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
func (db *DB) Now(context.Context) (time.Time, error) { return db.cfg.Clock(), nil }

// transact runs f in one transaction of the writer. It prepares nothing: that would wait for the connection that the
// transaction has.
func (db *DB) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
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
