package ldapstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Options say where the directory is and what accounts look like there.
type Options struct {
	// Directory is the server that is written to, and who writes. Its Readers are those of File.
	Directory directory.Settings
	// Base is the entry that everything stands below.
	Base string
	// File is the admin's YAML; empty: the defaults.
	File string
	// Uses is what flows mean to store: for changes of what, rights are tried.
	Uses []plugin.AttributeUse
	// Canonical returns the canonical key of a value, as the host forms it. Without it, values that an admin writes by hand
	// find nobody, and Adopt is an error.
	Canonical func(kind plugin.KeyKind, attribute, value string) (string, bool)
	// Version of the build, for descriptions.
	Version string
	// Clock stands in for the process's clock in tests.
	Clock func() time.Time
	// Hook, if set, is called before every request that the service account sends.
	Hook directory.Hook
	// Log gets what an admin should know; never a value.
	Log *slog.Logger
}

// Store keeps accounts in a directory.
type Store struct {
	pool         *directory.Pool
	ops          directory.Operations // the service account's, at the writer
	server       directory.Server
	schema       *directory.Schema
	settings     *entry.Settings
	numbers      *entry.Allocator
	passwords    *entry.Passwords
	claims       *claim.Store
	readers      *readers
	bindPassword plugin.Secret
	// seesPasswords: the service account may ask whether an entry has a password.
	seesPasswords bool
	now           func() time.Time
	log           *slog.Logger
	version       string
	withheld      []plugin.Capability
	deletion      deletion
}

var (
	_ plugin.Persister      = (*Store)(nil)
	_ plugin.Authenticator  = (*Store)(nil)
	_ plugin.PasswordSetter = (*Store)(nil)
	_ plugin.Updater        = (*Store)(nil)
	_ plugin.Maintainer     = (*Store)(nil)
	_ plugin.StatusReader   = (*Store)(nil)
	_ plugin.SchemaChecker  = (*Store)(nil)
)

// startLimit bounds what Open asks the directory.
const startLimit = 8 * time.Second

// Open connects to the directory, learns what it is and reads the admin's file. Its errors tell an admin what to do.
func Open(ctx context.Context, o Options) (*Store, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	s := &Store{bindPassword: plugin.NewSecret(o.Directory.Password), now: o.Clock, log: o.Log, version: o.Version}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open the directory: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) error {
	base, err := directory.ParseDN(o.Base)
	if err != nil {
		return fmt.Errorf("NARTHEX_LDAP_BASE: %w", err)
	}
	if err := s.meet(ctx, o.Directory); err != nil {
		return err
	}
	if s.settings, err = entry.Read(o.File, s.server.Kind, base); err != nil {
		return err
	}
	if len(s.settings.Readers) > 0 {
		s.pool.Close()
		o.Directory.Readers = s.settings.Readers
		if s.pool, err = directory.Open(o.Directory); err != nil {
			return err
		}
	}
	if s.schema, err = s.pool.Schema(ctx); err != nil {
		return fmt.Errorf("read the directory's schema: %w", err)
	}
	s.settings = s.settings.With(s.schema)
	s.ops = s.pool
	if o.Hook != nil {
		s.ops = directory.WithHook(s.pool, o.Hook)
	}
	if err := s.tryIDs(ctx); err != nil {
		return err
	}
	if err := s.tryRights(ctx, o); err != nil {
		return err
	}
	s.numbers = entry.NewAllocator(s.settings, s.server, s.ops)
	s.passwords = entry.NewPasswords(s.settings)
	s.claims = claim.New(claim.Config{Operations: s.ops, Server: s.server, Settings: s.settings, Canonical: o.Canonical, Clock: s.now, Log: s.log})
	s.readers = newReaders(s.pool, s.claims, o.Hook)
	s.readers.look()
	s.renewDecoy(ctx)
	found, err := s.ops.Search(ctx, s.decoy(), directory.Base, directory.Present("userPassword"), 1, "1.1")
	s.seesPasswords = err == nil && len(found) == 1
	return nil
}

// meet opens the pool and asks the server what it is.
func (s *Store) meet(ctx context.Context, settings directory.Settings) (err error) {
	if s.pool, err = directory.Open(settings); err != nil {
		return fmt.Errorf("NARTHEX_LDAP_URL: %w", err)
	}
	if s.server, err = s.pool.Server(ctx); err == nil {
		return nil
	}
	// The pool tells that nothing was sent, and not whose fault it is.
	c, cause := directory.Dial(ctx, settings)
	if cause == nil {
		c.Close()
	}
	if directory.Refused(cause, directory.InvalidCredentials) {
		return fmt.Errorf("the directory does not accept the service account: check NARTHEX_LDAP_BIND_DN and NARTHEX_LDAP_BIND_PASSWORD: %w", cause)
	}
	return fmt.Errorf("the directory of NARTHEX_LDAP_URL does not answer: %w", err)
}

// tryIDs makes sure that entries are found by their ids: a search that finds nothing would pass for an account that is
// gone.
func (s *Store) tryIDs(ctx context.Context) error {
	e, err := s.pool.Read(ctx, s.settings.People.Base, s.server.IDAttribute())
	if err != nil {
		return fmt.Errorf("read %s: %w", s.settings.People.Base, err)
	}
	id := s.server.EntryID(e)
	if id == "" {
		return fmt.Errorf("the service account may not read %s: 'narthex directory check --ldif' prints the rights to load", s.server.IDAttribute())
	}
	found, err := s.pool.Search(ctx, s.settings.Base, directory.Subtree, s.server.IDFilter(id), 1, "1.1")
	if err != nil {
		return fmt.Errorf("search by %s: %w", s.server.IDAttribute(), err)
	}
	if len(found) != 1 {
		return fmt.Errorf("the service account may not search by %s: 'narthex directory check --ldif' prints the rights to load", s.server.IDAttribute())
	}
	return nil
}

// closeLimit bounds how long Close waits: the sidecar kills a persister that does not end.
const closeLimit = 3 * time.Second

// Close waits for what still runs, though not long, and ends all connections.
func (s *Store) Close() error {
	if s.claims != nil {
		s.claims.Close(closeLimit)
	}
	if s.readers != nil {
		s.readers.close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	return nil
}

// Describe implements plugin.Persister.
func (s *Store) Describe(context.Context) (plugin.Description, error) {
	return plugin.Description{Name: "ldap", Version: s.version, ValueTypes: []plugin.ValueType{plugin.TypeString}, Withheld: s.withheld}, nil
}

// Ping implements plugin.Persister.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.ops.Read(ctx, s.settings.Identifiers, "1.1"); err != nil {
		return fmt.Errorf("ping: %w: %w", plugin.ErrUnavailable, err)
	}
	return nil
}

// CheckSchema implements plugin.SchemaChecker.
func (s *Store) CheckSchema(_ context.Context, uses []plugin.AttributeUse) (plugin.SchemaReport, error) {
	return s.settings.CheckSchema(s.schema, uses), nil
}
