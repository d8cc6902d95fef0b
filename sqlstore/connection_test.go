package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

func TestAConnectionThatBreaksInACreationIsToldForWhatItIs(t *testing.T) {
	cases := []struct {
		name, word string
		behind     bool
		clock      func() time.Time // one that the server does not see makes it a transaction of several statements
		want       error
		made       bool
	}{
		{"before the one statement nobody knows", "ada@example.org", false, nil, plugin.ErrUnknownOutcome, false},
		{"behind the one statement nobody knows", "ada@example.org", true, nil, plugin.ErrUnknownOutcome, true},
		{"before the account is written nothing has happened", "ada@example.org", false, time.Now, plugin.ErrUnavailable, false},
		{"behind the account nothing has happened", "ada@example.org", true, time.Now, plugin.ErrUnavailable, false},
		{"before the commit nobody knows", "commit", false, time.Now, plugin.ErrUnknownOutcome, false},
		{"behind the commit nobody knows", "commit", true, time.Now, plugin.ErrUnknownOutcome, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dsn, w := wired(t, testenv.PostgreSQLDatabase(t))
			s := open(t, sqlstore.Options{DSN: dsn, Clock: c.clock})
			if _, err := s.Create(t.Context(), person("first", "first@example.org")); err != nil {
				t.Fatal(err)
			}
			a := person("ada", "ada@example.org")
			w.cutAt(c.word, c.behind)
			_, err := s.Create(t.Context(), a)
			w.heal()
			if !errors.Is(err, c.want) || w.broken.Load() == 0 {
				t.Fatalf("Create = %v, want %v (%d connections were broken)", err, c.want, w.broken.Load())
			}
			found, err := s.Resolve(t.Context(), a.Attempt, a.Keys)
			if c.made != (err == nil) || err != nil && !errors.Is(err, plugin.ErrNotFound) {
				t.Fatalf("Resolve = %v, %v", found.ID, err)
			}
			again, err := s.Create(t.Context(), a)
			if err != nil || c.made && again.ID != found.ID {
				t.Errorf("the attempt's next execution: %v, %v; it had made %v", again.ID, err, found.ID)
			}
		})
	}
}

func TestAWriteWithoutAnAnswerIsUnknown(t *testing.T) {
	for name, write := range map[string]func(context.Context, *sqlstore.Store, plugin.ID) error{
		"UPDATE accounts": func(ctx context.Context, s *sqlstore.Store, id plugin.ID) error {
			return s.SetPassword(ctx, id, plugin.NewSecret("another private sentence"))
		},
		"DELETE FROM accounts": func(ctx context.Context, s *sqlstore.Store, id plugin.ID) error { return s.Delete(ctx, id) },
		"INSERT INTO attempts": func(ctx context.Context, s *sqlstore.Store, _ plugin.ID) error {
			_, err := s.Resolve(ctx, attempt(), nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dsn, w := wired(t, testenv.PostgreSQLDatabase(t))
			s := open(t, sqlstore.Options{DSN: dsn})
			made, err := s.Create(t.Context(), person("ada", "ada@example.org"))
			if err != nil {
				t.Fatal(err)
			}
			w.cutAt(name, true)
			if err := write(t.Context(), s, made.ID); !errors.Is(err, plugin.ErrUnknownOutcome) {
				t.Errorf("%v, want ErrUnknownOutcome", err)
			}
			w.heal()
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestAServerThatIsAwayIsUnavailableAndComesBack(t *testing.T) {
	server := testenv.StartPostgreSQL(t, false)
	s := open(t, sqlstore.Options{DSN: server.Database(t)})
	a := person("ada", "ada@example.org")
	if _, err := s.Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	for name, call := range map[string]func() error{
		"Create":       func() error { _, err := s.Create(t.Context(), person("bob", "bob@example.org")); return err },
		"Lookup":       func() error { _, err := s.Lookup(t.Context(), a.Keys[0]); return err },
		"Authenticate": func() error { _, err := s.Authenticate(t.Context(), a.Keys[0], a.Password); return err },
		"Ping":         func() error { return s.Ping(t.Context()) },
	} {
		// The first calls may find connections that have just died.
		var err error
		for range 3 {
			err = call()
		}
		if !errors.Is(err, plugin.ErrUnavailable) {
			t.Errorf("%s without a server: %v, want ErrUnavailable", name, err)
		}
	}
	server.Restart(t)
	if _, err := s.Authenticate(t.Context(), a.Keys[0], a.Password); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestAServerThatHangsHoldsNobodyForLong(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	s := open(t, sqlstore.Options{DSN: dsn})
	tx, err := raw(t, dsn).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE identifiers IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := s.Create(t.Context(), person("ada", "ada@example.org")); !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("Create = %v, want ErrUnavailable", err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("it takes %v", took)
	}
}

func TestNoErrorShowsThePasswordOfTheDatabase(t *testing.T) {
	const canary = "hunter2hunter2"
	for _, dsn := range []string{
		"postgres://narthex:" + canary + "@127.0.0.1:1/narthex", "postgres://narthex:" + canary + "@127.0.0.1:1/narthex?sslmode=perhaps",
		"postgres://narthex:" + canary + "@[::1/narthex", "postgres://narthex:" + canary + "%zz@127.0.0.1:1/narthex",
	} {
		_, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn})
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); err == nil || strings.Contains(text, canary) {
			t.Errorf("the password is shown: %s", text)
		}
	}
}

func TestTextThatPostgreSQLCannotHoldIsRefusedBeforeItIsSent(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	s := open(t, sqlstore.Options{DSN: dsn})
	made, err := s.Create(t.Context(), person("ada", "ada@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"a\x00b", "\xff", "\xed\xa0\x80"} {
		a := person("bob", "bob@example.org")
		a.Attributes["sn"] = []plugin.Value{plugin.StringValue(bad)}
		b := person("bob", "bob@example.org")
		b.Keys[1].Canonical = bad
		_, errAttribute := s.Create(t.Context(), a)
		_, errKey := s.Create(t.Context(), b)
		_, errLookup := s.Lookup(t.Context(), plugin.Key{Kind: plugin.KindEmail, Canonical: bad, Value: bad})
		_, errID := s.Get(t.Context(), plugin.ID(bad))
		_, errPage := s.List(t.Context(), plugin.ListQuery{Limit: 1, After: bad})
		_, errChange := s.Update(t.Context(), made.ID, plugin.Change{Attributes: map[string]plugin.AttributeChange{"sn": {
			Old: []plugin.Value{plugin.StringValue("Lovelace")}, New: []plugin.Value{plugin.StringValue(bad)}}}})
		for name, err := range map[string]error{"attribute": errAttribute, "key": errKey, "lookup": errLookup, "id": errID, "page": errPage, "change": errChange} {
			if !errors.Is(err, plugin.ErrInvalid) || strings.Contains(err.Error(), "SQLSTATE") {
				t.Errorf("%s %q: %v, want ErrInvalid and no word from the database", name, bad, err)
			}
		}
	}
}

func TestTheServersClockDecidesWhoIsLate(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	for _, text := range []string{
		`CREATE SCHEMA skewed`,
		`CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.clock_timestamp() + interval '7 minutes' $$`,
	} {
		if _, err := raw(t, dsn).ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, sqlstore.Options{DSN: dsn + "&search_path=skewed,pg_catalog,public"})
	late := person("ada", "ada@example.org")
	late.NotAfter = time.Now().Add(time.Minute) // by this machine's clock, six minutes ago by the server's
	if _, err := s.Create(t.Context(), late); !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("Create = %v, want ErrUnavailable", err)
	}
	late.NotAfter = time.Now().Add(8 * time.Minute)
	made, err := s.Create(t.Context(), late)
	if err != nil || time.Until(made.CreatedAt) < 6*time.Minute {
		t.Errorf("the account was made at %v (%v)", made.CreatedAt, err)
	}
}

func TestPersistersMayStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Ping(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
