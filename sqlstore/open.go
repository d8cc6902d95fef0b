package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/plugin"
)

//go:embed migrations
var migrations embed.FS

// Options say where the accounts are and how passwords are kept.
type Options struct {
	// DSN is the URL of a PostgreSQL database. It holds a password: no error shows it.
	DSN string
	// Path of the SQLite file that is used where there is no DSN. Its folder is made if need be.
	Path string
	// Hash is the cost of a new password's hash; the zero value is DefaultHash.
	Hash Hash
	// Version of the build, for descriptions.
	Version string
	// Clock stands in for the database's clock in tests.
	Clock func() time.Time
	// Hook, if set, is called at the places that Failpoints lists, and at sqlstore.rehash.hashed.
	Hook func(point string)
}

// Store keeps accounts in an SQL database.
type Store struct {
	writer, reads *pool
	dialect       dialect
	hasher        *hasher
	rehasher      *rehasher
	now           func() time.Time // the database's clock, the one clock that decides who is late
	serverClock   bool             // now is the clock that the database's statements see
	hook          func(string)
	version       string
}

// dialect holds the words in which databases differ, and what their errors mean. How each is opened stands in a file of
// its own; everything else is the same for all.
type dialect struct {
	// lockRow ends a SELECT of an account that the transaction is going to change.
	lockRow string
	// together: one statement can write several tables.
	together bool
	// judge tells what an error of the driver means.
	judge func(error) verdict
	// refused tells whether a failed commit has surely left nothing.
	refused func(error) bool
}

// verdict is what an error of the database means.
type verdict int

const (
	unknown     verdict = iota // no error of the database, or none that is expected
	unavailable                // nothing has happened, and a later try can succeed
	conflict                   // two transactions were in each other's way; the same can be tried at once
	invalid                    // a text that the database cannot hold
	unanswered                 // the connection broke: whatever was sent may have happened
)

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
	if o.Hook == nil {
		o.Hook = func(string) {}
	}
	if o.Hash == (Hash{}) {
		o.Hash = DefaultHash
	}
	if err := o.Hash.Validate(); err != nil {
		return nil, fmt.Errorf("open the account database: %w", err)
	}
	s := &Store{hasher: newHasher(o.Hash), rehasher: newRehasher(), now: time.Now, hook: o.Hook, version: o.Version}
	var err error
	if o.DSN != "" {
		err = s.openPostgreSQL(ctx, o.DSN)
	} else {
		err = s.openSQLite(ctx, o.Path)
	}
	s.serverClock = o.Clock == nil
	if !s.serverClock {
		s.now = o.Clock
	}
	if err == nil {
		err = s.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the account database: %w", err), s.Close())
	}
	return s, nil
}

// Close gives the database back.
func (s *Store) Close() error {
	s.rehasher.close()
	var errs []error
	if s.reads != nil && s.reads != s.writer {
		errs = append(errs, s.reads.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
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
	return s.classify("ping", s.reads.QueryRowContext(ctx, `SELECT 1 FROM accounts UNION ALL SELECT 1 LIMIT 1`).Scan(&one))
}
