package state

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readers is the size of the pool for reads; writes have one connection, because SQLite has one writer.
const readers = 4

// openSQLite takes the file for this process, brings its tables up to date and frees what a dead process had leased.
func (db *DB) openSQLite(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Dir(db.cfg.Path), 0o700); err != nil {
		return err
	}
	if db.lock, err = lockFile(db.cfg.Path + ".lock"); err != nil {
		return err
	}
	if err := makeFile(db.cfg.Path); err != nil {
		return err
	}
	if db.writer, err = sql.Open("sqlite", dsn(db.cfg.Path)); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if err := migrateSQLite(ctx, db.writer); err != nil {
		return err
	}
	if db.reads, err = sql.Open("sqlite", dsn(db.cfg.Path)); err != nil {
		return err
	}
	db.reads.SetMaxOpenConns(readers)
	db.reads.SetMaxIdleConns(readers)
	// SQLite has one writer and one process: what is to be claimed needs no locks of its own.
	db.dialect = dialect{skipLocked: "", elements: "json_each"}
	now, err := db.Now(ctx)
	if err != nil {
		return err
	}
	_, err = db.writer.ExecContext(ctx, `UPDATE outbox SET owner = '', due_at = $1 WHERE owner <> ''`, millis(now))
	return err
}

// dsn asks for a write-ahead log that is synced at every commit: an answered write survives a power cut, except for those
// of transactAsync. What is deleted
// is overwritten: the server's key could still open it. The wait for somebody who reads the file with other tools is
// shorter than callLimit, because no context ends it.
func dsn(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(2000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)"}, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func migrateSQLite(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
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

// makeFile makes the file before SQLite does, so that it never exists with wider rights. What SQLite puts beside it gets
// the same ones.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
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
