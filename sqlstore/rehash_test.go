package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
)

// dearer is another cost than CheapestHash.
var dearer = sqlstore.Hash{Memory: 64, Time: 2, Threads: 1}

var ada, bob = key(plugin.KindUsername, "uid", "ada"), key(plugin.KindUsername, "uid", "bob")

// before makes accounts with cheap hashes and opens their database with a dearer one. rehashed is told when a renewal
// has its hash and has not written it, and waits to be answered.
func before(t *testing.T, where string) (s *sqlstore.Store, id plugin.ID, rehashed chan struct{}) {
	t.Helper()
	return beforeThrough(t, where, where)
}

// beforeThrough is before, with another way to the database for the store.
func beforeThrough(t *testing.T, where, through string) (s *sqlstore.Store, id plugin.ID, rehashed chan struct{}) {
	t.Helper()
	cheap := open(t, at(where))
	made, err := cheap.Create(t.Context(), person("ada", "ada@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cheap.Create(t.Context(), person("bob", "bob@example.org")); err != nil {
		t.Fatal(err)
	}
	rehashed = make(chan struct{})
	o := at(through)
	o.Hash = dearer
	o.Hook = func(point string) {
		if point == "sqlstore.rehash.hashed" {
			rehashed <- struct{}{}
			<-rehashed
		}
	}
	return open(t, o), made.ID, rehashed
}

// raw opens a database beside the store.
func raw(t *testing.T, where string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if strings.HasPrefix(where, "postgres://") {
		driver = "pgx"
	}
	db, err := sql.Open(driver, where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func storedHash(t *testing.T, where string) (hash string, changed int64) {
	t.Helper()
	if err := raw(t, where).QueryRowContext(t.Context(), `SELECT password, password_changed_at FROM accounts WHERE username = 'ada'`).Scan(&hash, &changed); err != nil {
		t.Fatal(err)
	}
	return hash, changed
}

// eventuallyRenewed waits until ada's hash has the dearer cost.
func eventuallyRenewed(t *testing.T, where string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		hash, _ := storedHash(t, where)
		if strings.Contains(hash, dearer.String()) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the stored hash is still %s", hash)
		}
	}
}

func TestALoginRenewsAHashOfAnotherCost(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		s, _, rehashed := before(t, where)
		_, changed := storedHash(t, where)
		if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret(password)); err != nil {
			t.Fatal(err)
		}
		<-rehashed
		rehashed <- struct{}{}
		eventuallyRenewed(t, where)
		if _, still := storedHash(t, where); still != changed {
			t.Error("the password counts as changed")
		}
		if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret(password)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret(password+"x")); !errors.Is(err, plugin.ErrDenied) {
			t.Errorf("another password: %v", err)
		}
	})
}

func TestARenewedHashNeverBringsAnOldPasswordBack(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		s, id, rehashed := before(t, where)
		if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret(password)); err != nil {
			t.Fatal(err)
		}
		<-rehashed // the old password's new hash is there and not yet written
		if err := s.SetPassword(t.Context(), id, plugin.NewSecret("another private sentence")); err != nil {
			t.Fatal(err)
		}
		rehashed <- struct{}{}
		renewalBegins(t, s, bob, rehashed) // so the first is over
		if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret(password)); !errors.Is(err, plugin.ErrDenied) {
			t.Errorf("the old password: %v", err)
		}
		if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret("another private sentence")); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}

// renewalBegins lets somebody log in until his hash is renewed, which is when no other renewal is under way.
func renewalBegins(t *testing.T, s *sqlstore.Store, who plugin.Key, rehashed chan struct{}) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if _, err := s.Authenticate(t.Context(), who, plugin.NewSecret(password)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-rehashed:
			rehashed <- struct{}{}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("no renewal begins")
}

func TestAWrongPasswordRenewsNothing(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		s, _, rehashed := before(t, where)
		hash, _ := storedHash(t, where)
		if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret("a wrong and private sentence")); !errors.Is(err, plugin.ErrDenied) {
			t.Fatal(err)
		}
		select {
		case <-rehashed:
			t.Error("a hash was made for a wrong password")
		case <-time.After(50 * time.Millisecond):
		}
		if now, _ := storedHash(t, where); now != hash {
			t.Error("the stored hash has changed")
		}
	})
}

func TestALoginDoesNotWaitForTheRenewalOfItsHash(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		s, _, rehashed := before(t, where)
		for range 3 { // the first one's renewal is held up all the time
			if _, err := s.Authenticate(context.Background(), ada, plugin.NewSecret(password)); err != nil {
				t.Error(err)
			}
		}
		<-rehashed
		rehashed <- struct{}{}
	})
}
