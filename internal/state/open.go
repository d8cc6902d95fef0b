package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Defaults of Config.
const (
	DefaultIdle     = 30 * time.Minute
	DefaultLifetime = 2 * time.Hour
	// lease is how long a message belongs to the process that inserted or claimed it.
	lease = time.Minute
	// readers is the size of the pool for reads; writes have one connection, because SQLite has one writer.
	readers = 4
)

// Config says where the state is and how long it lives.
type Config struct {
	// Path of the SQLite file. Its folder is made if need be.
	Path string
	// Idle is how long a registration lives without a write, Lifetime how long in all.
	Idle, Lifetime time.Duration
	// Clock is the state database's clock: time.Now outside tests.
	Clock func() time.Time
	// Owner names this process as the holder of leases.
	Owner string
}

// DB is an open state database. Its methods may run at the same time.
type DB struct {
	cfg           Config
	writer, reads *sql.DB
	lock          *os.File
	stmt          statements
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
	db := &DB{cfg: cfg}
	if err := db.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the state database: %w", err), db.Close())
	}
	return db, nil
}

func (db *DB) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Dir(db.cfg.Path), 0o700); err != nil {
		return err
	}
	if db.lock, err = lockFile(db.cfg.Path + ".lock"); err != nil {
		return err
	}
	// The file is made here, so that it never exists with wider rights.
	f, err := os.OpenFile(db.cfg.Path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if db.writer, err = sql.Open("sqlite", dsn(db.cfg.Path)); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, db.writer); err != nil {
		return err
	}
	if db.reads, err = sql.Open("sqlite", dsn(db.cfg.Path)); err != nil {
		return err
	}
	db.reads.SetMaxOpenConns(readers)
	db.reads.SetMaxIdleConns(readers)
	if err := db.stmt.prepare(ctx, db.writer, db.reads); err != nil {
		return err
	}
	_, err = db.writer.ExecContext(ctx, `UPDATE outbox SET due_at = $1`, millis(db.cfg.Clock()))
	return err
}

// dsn asks for a write-ahead log that is synced at every commit: an answered write survives a power cut.
func dsn(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// lockFile holds a lock for as long as the process lives: two processes on one SQLite file would send messages twice.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, err
	}
	return f, nil
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
	if _, err := db.stmt.ping.ExecContext(ctx, millis(db.cfg.Clock())); err != nil {
		return fmt.Errorf("write to the state database: %w", err)
	}
	return nil
}

// Now is the time by the state database's clock, the one clock that decides what has expired.
func (db *DB) Now(context.Context) (time.Time, error) { return db.cfg.Clock(), nil }

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
