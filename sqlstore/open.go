package sqlstore

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
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/narthex/narthex/plugin"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers is the size of the pool for reads; writes have one connection, because SQLite has one writer.
const readers = 4

// Options say where the accounts are and how passwords are kept.
type Options struct {
	// Path of the SQLite file. Its folder is made if need be.
	Path string
	// Hash is the cost of a new password's hash; the zero value is DefaultHash.
	Hash Hash
	// Version of the build, for descriptions.
	Version string
	// Clock is time.Now outside tests.
	Clock func() time.Time
	// Hook, if set, is called at the places that Failpoints lists.
	Hook func(point string)
}

// Store keeps accounts in an SQL database.
type Store struct {
	writer, reads *sql.DB
	hasher        *hasher
	now           func() time.Time
	hook          func(string)
	version       string
}

var (
	_ plugin.Persister      = (*Store)(nil)
	_ plugin.Authenticator  = (*Store)(nil)
	_ plugin.PasswordSetter = (*Store)(nil)
	_ plugin.Updater        = (*Store)(nil)
	_ plugin.Lister         = (*Store)(nil)
	_ plugin.Maintainer     = (*Store)(nil)
	_ plugin.StatusReader   = (*Store)(nil)
)

// Failpoints lists the places where Options.Hook is called, in the order in which a creation meets them.
func Failpoints() []string {
	return []string{"sqlstore.create.hashed", "sqlstore.create.uncommitted", "sqlstore.create.committed"}
}

// Open opens the database and brings its tables up to date.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Hook == nil {
		o.Hook = func(string) {}
	}
	if o.Hash == (Hash{}) {
		o.Hash = DefaultHash
	}
	if err := o.Hash.Validate(); err != nil {
		return nil, fmt.Errorf("open the account database: %w", err)
	}
	s := &Store{hasher: newHasher(o.Hash), now: o.Clock, hook: o.Hook, version: o.Version}
	if err := s.open(ctx, o.Path); err != nil {
		return nil, errors.Join(fmt.Errorf("open the account database: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) (err error) {
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
	if s.writer, err = sql.Open("sqlite", dsn(path, "immediate")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writer); err != nil {
		return err
	}
	if s.reads, err = sql.Open("sqlite", dsn(path, "deferred")); err != nil {
		return err
	}
	s.reads.SetMaxOpenConns(readers)
	s.reads.SetMaxIdleConns(readers)
	return s.Ping(ctx)
}

// dsn asks for a write-ahead log that is synced at every commit: an answered write survives a power cut.
func dsn(path, lock string) string {
	q := url.Values{"_pragma": {"busy_timeout(3000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, "_txlock": {lock}}
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

// Close gives the database back.
func (s *Store) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{s.reads, s.writer} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Describe implements plugin.Persister.
func (s *Store) Describe(context.Context) (plugin.Description, error) {
	return plugin.Description{Name: "sql", Version: s.version, ValueTypes: plugin.ValueTypes()}, nil
}

// Ping implements plugin.Persister.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return classify("ping", s.reads.QueryRowContext(ctx, `SELECT 1 FROM accounts UNION ALL SELECT 1 LIMIT 1`).Scan(&one))
}
