package sqlstore_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

const password = "a long and private sentence"

func open(t testing.TB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "accounts.db")
	}
	if o.Hash == (sqlstore.Hash{}) {
		o.Hash = sqlstore.CheapestHash
	}
	s, err := sqlstore.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func attempt() plugin.Attempt {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return plugin.Attempt(hex.EncodeToString(b))
}

func key(kind plugin.KeyKind, attribute, value string) plugin.Key {
	return plugin.Key{Kind: kind, Canonical: "1:" + strings.ToLower(value), Value: value, Attribute: attribute, Login: kind != plugin.KindUnique}
}

func person(username, email string) plugin.NewAccount {
	return plugin.NewAccount{
		Attempt: attempt(), NotAfter: time.Now().Add(time.Minute),
		Keys:       []plugin.Key{key(plugin.KindUsername, "uid", username), key(plugin.KindEmail, "mail", email)},
		Attributes: plugin.Attributes{"sn": {plugin.StringValue("Lovelace")}, "age": {plugin.IntValue(36)}},
		Password:   plugin.NewSecret(password),
	}
}

func TestTheDatabaseComparesKeysByteForByte(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		s := open(t, at(where))
		canonical := rapid.OneOf(rapid.SampledFrom([]string{"a", "A", "a ", " a", "á", "a\u0301", "ａ", "ß", "ss", "i", "ı", "K", "\u212a", "%", "_", "a%", "*", "'; DROP TABLE accounts; --", `\`}), rapid.StringN(1, 40, 200))
		rapid.Check(t, func(t *rapid.T) {
			prefix := hex.EncodeToString([]byte(attempt())[:8])
			a, b := prefix+canonical.Draw(t, "a"), prefix+canonical.Draw(t, "b")
			if strings.ContainsRune(a+b, 0) {
				return
			}
			first, second := person("u"+string(attempt()), "x"), person("u"+string(attempt()), "y")
			first.Keys[1].Canonical, second.Keys[1].Canonical = a, b
			made, err := s.Create(context.Background(), first)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Create(context.Background(), second)
			if taken := errors.Is(err, plugin.ErrExists); taken != (a == b) {
				t.Fatalf("%q and %q: %v", a, b, err)
			}
			found, err := s.Lookup(context.Background(), plugin.Key{Kind: plugin.KindEmail, Canonical: a, Value: "x"})
			if err != nil || found.ID != made.ID {
				t.Fatalf("Lookup(%q) = %v, %v", a, found.ID, err)
			}
		})
	})
}

func TestAnExecutionThatStallsPastItsTimeLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		var stall atomic.Bool
		now := time.Now()
		var offset atomic.Int64
		o := at(where)
		o.Clock = func() time.Time { return now.Add(time.Duration(offset.Load())) }
		o.Hook = func(point string) {
			if stall.Load() && point == "sqlstore.create.uncommitted" {
				offset.Store(int64(time.Hour))
			}
		}
		s := open(t, o)
		stall.Store(true)
		a := person("ada", "ada@example.org")
		if _, err := s.Create(t.Context(), a); !errors.Is(err, plugin.ErrUnavailable) {
			t.Fatalf("Create = %v, want ErrUnavailable", err)
		}
		stall.Store(false)
		if _, err := s.Lookup(t.Context(), a.Keys[1]); !errors.Is(err, plugin.ErrNotFound) {
			t.Errorf("Lookup = %v", err)
		}
		a.NotAfter = now.Add(2 * time.Hour)
		if _, err := s.Create(t.Context(), a); err != nil {
			t.Errorf("the next execution of the attempt: %v", err)
		}
	})
}

func TestAResolvedExecutionNeverCommits(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		a := person("ada", "ada@example.org")
		var s *sqlstore.Store
		var resolved error
		o := at(where)
		o.Hook = func(point string) {
			if point == "sqlstore.create.hashed" && resolved == nil {
				_, resolved = s.Resolve(context.Background(), a.Attempt, a.Keys)
			}
		}
		s = open(t, o)
		if _, err := s.Create(t.Context(), a); !errors.Is(err, plugin.ErrUnavailable) {
			t.Errorf("the execution that Resolve overtook: %v", err)
		}
		if !errors.Is(resolved, plugin.ErrNotFound) {
			t.Errorf("Resolve = %v", resolved)
		}
		if _, err := s.Lookup(t.Context(), a.Keys[0]); !errors.Is(err, plugin.ErrNotFound) {
			t.Errorf("Lookup = %v", err)
		}
		made, err := s.Create(t.Context(), a)
		if err != nil {
			t.Fatalf("an execution that begins later: %v", err)
		}
		if again, err := s.Resolve(t.Context(), a.Attempt, a.Keys); err != nil || again.ID != made.ID {
			t.Errorf("Resolve = %v, %v", again.ID, err)
		}
	})
}

func TestAForeignHashOpensNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	s := open(t, sqlstore.Options{Path: path})
	made, err := s.Create(t.Context(), person("ada", "ada@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, hash := range map[string]string{
		"empty": "", "clear text": password, "another scheme": "$2b$10$abcdefghijklmnopqrstuu", "huge memory": "$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"many passes":  "$argon2id$v=19$m=8,t=4000000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"an empty tag": "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$", "the decoy": "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	} {
		if _, err := db.ExecContext(t.Context(), `UPDATE accounts SET password = $1 WHERE id = $2`, hash, string(made.ID)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for _, p := range []string{password, hash, "", "x"} {
			if _, err := s.Authenticate(t.Context(), key(plugin.KindUsername, "uid", "ada"), plugin.NewSecret(p)); !errors.Is(err, plugin.ErrDenied) {
				t.Errorf("%s: Authenticate = %v, want ErrDenied", name, err)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: four refusals take %v", name, took)
		}
	}
}

func TestHashingIsBoundedToTheCores(t *testing.T) {
	s := open(t, sqlstore.Options{Hash: sqlstore.Hash{Memory: 4096, Time: 2, Threads: 1}})
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			_, err := s.Authenticate(context.Background(), key(plugin.KindUsername, "uid", "nobody"), plugin.NewSecret(password))
			if !errors.Is(err, plugin.ErrDenied) && !errors.Is(err, plugin.ErrUnavailable) {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestADatabaseThatCannotBeWrittenIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	s := open(t, sqlstore.Options{Path: path})
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil) // holds the write lock
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), person("ada", "ada@example.org")); !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("while another process writes: %v, want ErrUnavailable", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	var pages int
	if err := db.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), person("ada", "ada@example.org")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestNoErrorAndNoFileHoldsAPassword(t *testing.T) {
	dir := t.TempDir()
	s := open(t, sqlstore.Options{Path: filepath.Join(dir, "accounts.db")})
	canary := "the canary sings in the mine"
	a := person("ada", "ada@example.org")
	a.Password = plugin.NewSecret(canary)
	if _, err := s.Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	b := person("bob", "ada@example.org")
	b.Password = plugin.NewSecret(canary)
	_, errTaken := s.Create(t.Context(), b)
	_, errDenied := s.Authenticate(t.Context(), key(plugin.KindUsername, "uid", "bob"), plugin.NewSecret(canary))
	for _, err := range []error{errTaken, errDenied} {
		if err == nil || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "ada@") {
			t.Errorf("error %v", err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if content, err := os.ReadFile(f); err != nil || strings.Contains(string(content), canary) {
			t.Errorf("%s holds the password (%v)", f, err)
		}
		if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v (%v)", f, info.Mode(), err)
		}
	}
}

func TestParseHash(t *testing.T) {
	if h, err := sqlstore.ParseHash("m=19456,t=2,p=1"); err != nil || h != sqlstore.DefaultHash {
		t.Errorf("ParseHash = %v, %v", h, err)
	}
	for _, s := range []string{"", "m=19456", "m=19456,t=2,p=1,x", "m=4194304,t=2,p=1", "m=8,t=0,p=1", "m=8,t=1,p=2", "m=-1,t=1,p=1", "m=08,t=1,p=1", "m=8,t=1,p=0"} {
		if h, err := sqlstore.ParseHash(s); err == nil {
			t.Errorf("ParseHash(%q) = %v", s, h)
		}
	}
}

// benchmark measures on each kind of database.
func benchmark(b *testing.B, f func(b *testing.B, o sqlstore.Options)) {
	b.Run("sqlite", func(b *testing.B) { f(b, sqlstore.Options{}) })
	b.Run("postgresql", func(b *testing.B) { f(b, sqlstore.Options{DSN: testenv.PostgreSQLDatabase(b)}) })
}

func BenchmarkCreate(b *testing.B) {
	benchmark(b, func(b *testing.B, o sqlstore.Options) {
		s := open(b, o)
		for i := 0; b.Loop(); i++ {
			if _, err := s.Create(context.Background(), person(fmt.Sprintf("u%d", i), fmt.Sprintf("u%d@example.org", i))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	benchmark(b, func(b *testing.B, o sqlstore.Options) {
		s := open(b, o)
		if _, err := s.Create(context.Background(), person("ada", "ada@example.org")); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := s.Authenticate(context.Background(), key(plugin.KindUsername, "uid", "ada"), plugin.NewSecret(password)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
