package state_test

import (
	"bytes"
	"context"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
)

// canaries are what must never be readable in a file.
var canaries = []string{"ada.lovelace@example.org", "47110815", "Lovelace"}

// contents returns every file in a folder.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[filepath.Base(path)] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNothingOfAPersonCanBeReadInTheFiles(t *testing.T) {
	keys, err := seal.NewKeyring("8f2a1c0d9e3b4756a1b2c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f7081")
	if err != nil {
		t.Fatal(err)
	}
	token, err := seal.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := newClock()
	db := open(t, filepath.Join(dir, "state.db"), c)
	clear := []byte(canaries[0] + canaries[1] + canaries[2])
	forClient, err := keys.Seal("registration", token.Opener(), "r", clear)
	if err != nil {
		t.Fatal(err)
	}
	forServer, err := keys.Seal("outbox", nil, "m", clear)
	if err != nil {
		t.Fatal(err)
	}
	row, err := db.Insert(t.Context(), state.Row{Ref: "r", Locator: token.Locator(), Flow: "f", Step: "s", Phase: state.PhaseOpen,
		SealedFor: state.SealedForClient, Sealed: forClient, Server: forServer}, state.Message{ID: "m", Sealed: forServer, ExpiresAt: c.now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	look := func(when string, stored bool) {
		t.Helper()
		found := false
		for name, b := range contents(t, dir) {
			for _, canary := range append([]string{token.Text(), string(token.Opener())}, canaries...) {
				if bytes.Contains(b, []byte(canary)) {
					t.Errorf("%s: %s can be read in %s", when, canary, name)
				}
			}
			found = found || bytes.Contains(b, forServer)
		}
		if found != stored {
			t.Errorf("%s: what is sealed for the server is in a file: %v, want %v", when, found, stored)
		}
	}
	look("while it waits", true)
	if err := db.RemoveMessages(t.Context(), []string{"m"}); err != nil {
		t.Fatal(err)
	}
	if err := db.Delete(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	look("once it is deleted", false)
}

func TestOnlyThisUserCanReadTheFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open(t, filepath.Join(dir, "state.db"), newClock())
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v; want the database, its log and its lock at least", len(files), err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestADatabaseThatDoesNotAnswerIsAnErrorInTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path, newClock())
	row := insert(t, db)
	hold(t, path)
	var all sync.WaitGroup
	began := time.Now()
	for name, call := range map[string]func(context.Context) error{
		"Ping":   db.Ping,
		"Commit": func(ctx context.Context) error { _, err := db.Commit(ctx, row, state.Message{ID: "m"}); return err },
		"CountAttempt": func(ctx context.Context) error {
			_, err := db.CountAttempt(ctx, row.Locator, row.Step, nil)
			return err
		},
		"Sweep":  func(ctx context.Context) error { _, err := db.Sweep(ctx); return err },
		"Insert": func(ctx context.Context) error { _, err := db.Insert(ctx, row); return err },
	} {
		all.Go(func() {
			if err := call(context.Background()); err == nil {
				t.Errorf("%s writes what cannot be written", name)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("they took %v", took)
	}
	if got, err := db.Load(t.Context(), row.Locator); err != nil || got.Version != row.Version || got.Attempts != 0 {
		t.Errorf("reading while somebody writes: %+v, %v", got, err)
	}
}

// hold takes the file's write lock until the test ends.
func hold(t *testing.T, path string) {
	t.Helper()
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
}
