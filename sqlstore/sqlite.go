package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// readers is the size of the pool for reads; writes have one connection, because SQLite has one writer.
const readers = 4

// openSQLite makes the file if need be and brings its tables up to date.
func (s *Store) openSQLite(ctx context.Context, path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// The file is made here, so that it never exists with wider rights.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	writer, err := sql.Open("sqlite", sqliteDSN(path, "immediate"))
	if err != nil {
		return err
	}
	s.writer = newPool(writer, false)
	s.writer.SetMaxOpenConns(1)
	if err := migrateSQLite(ctx, writer); err != nil {
		return err
	}
	reads, err := sql.Open("sqlite", sqliteDSN(path, "deferred"))
	if err != nil {
		return err
	}
	s.reads = newPool(reads, false)
	s.reads.SetMaxOpenConns(readers)
	s.reads.SetMaxIdleConns(readers)
	// One writer at a time: rows need no locks, and a transaction sees one moment anyway.
	s.dialect = dialect{judge: judgeSQLite, refused: refusedBySQLite}
	return nil
}

// sqliteDSN asks for a write-ahead log that is synced at every commit: an answered write survives a power cut.
func sqliteDSN(path, lock string) string {
	q := url.Values{"_pragma": {"busy_timeout(3000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, "_txlock": {lock}}
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

// refusedBySQLite: only after an error of the disk may a commit be there or not.
func refusedBySQLite(err error) bool { return judgeSQLite(err) != unanswered }

// judgeSQLite reads SQLite's result codes.
func judgeSQLite(err error) verdict {
	var db *sqlite.Error
	if !errors.As(err, &db) {
		return unknown
	}
	switch db.Code() & 0xff {
	case sqlite3.SQLITE_IOERR:
		return unanswered // of a commit, it may be there or not
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL:
		return unavailable
	}
	return unknown
}
