package state

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// levels of PRAGMA synchronous (https://www.sqlite.org/pragma.html#pragma_synchronous).
const (
	normal = 1
	full   = 2
)

func level(ctx context.Context, t *testing.T, from interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (n int) {
	t.Helper()
	if err := from.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCommitsWaitForTheDiskAgainWhateverBecomesOfOneThatDoesNot(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	bad := errors.New("bad")
	for name, c := range map[string]struct {
		f    func(context.Context, context.CancelFunc, *sql.Tx) error
		want error
	}{
		"it ends well": {func(ctx context.Context, _ context.CancelFunc, tx *sql.Tx) error {
			if n := level(ctx, t, tx); n != normal {
				t.Errorf("in the transaction the level is %d", n)
			}
			return nil
		}, nil},
		"it fails":            {func(context.Context, context.CancelFunc, *sql.Tx) error { return bad }, bad},
		"its caller has gone": {func(_ context.Context, gone context.CancelFunc, _ *sql.Tx) error { gone(); return nil }, nil},
		"its statement is stopped": {func(ctx context.Context, gone context.CancelFunc, tx *sql.Tx) error {
			gone()
			return tx.QueryRowContext(ctx, `SELECT 1`).Err()
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := db.transactAsync(ctx, func(tx *sql.Tx) error { return c.f(ctx, cancel, tx) })
			if !errors.Is(err, c.want) {
				t.Errorf("it returned %v, want %v", err, c.want)
			}
			if n := level(t.Context(), t, db.writer); n != full {
				t.Errorf("afterwards the level is %d", n)
			}
			err = db.transact(t.Context(), func(tx *sql.Tx) error {
				if n := level(t.Context(), t, tx); n != full {
					t.Errorf("in the next transaction the level is %d", n)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOnPostgreSQLOnlyWhatIsMadeUpForDoesNotWaitForTheDisk asks a server that syncs, directly after each write, whether
// it has flushed its log up to the end.
func TestOnPostgreSQLOnlyWhatIsMadeUpForDoesNotWaitForTheDisk(t *testing.T) {
	server := testenv.StartPostgreSQL(t, true)
	db, err := Open(t.Context(), Config{DSN: server.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	later := time.Now().Add(time.Hour)
	var row Row
	takes := []Take{{Key: []byte("k"), Limit: 1000, Window: time.Hour, Count: 1}}
	insert := func(ctx context.Context) (err error) {
		row, err = db.Insert(ctx, Row{Ref: "r", Locator: []byte("l"), Flow: "f", Step: "s", Phase: PhaseOpen, SealedFor: SealedForClient,
			Sealed: []byte("x"), AttemptLimit: 5, Client: "c", OpenLimit: 2, Takes: takes})
		return err
	}
	count := func(ctx context.Context) error {
		_, err := db.CountAttempt(ctx, row.Locator, "s", func(Row, time.Time) ([]Take, error) { return takes, nil })
		return err
	}
	commit := func(phase Phase, messages ...Message) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			row.Phase, row.Takes = phase, nil
			row, err = db.Commit(ctx, row, messages...)
			return err
		}
	}
	writes := []struct {
		name  string
		waits bool
		write func(context.Context) error
	}{
		{"a beginning", false, insert},
		{"a message that is to be sent", true, commit(PhaseOpen, Message{ID: "m", Sealed: []byte("x"), ExpiresAt: later})},
		{"a guess", false, count},
		{"an intent", true, commit(PhasePersisting)},
		{"a completion", false, commit(PhaseCompleted)},
		{"a message that is struck off", false, func(ctx context.Context) error { return db.RemoveMessages(ctx, []string{"m"}) }},
		{"an end", true, func(ctx context.Context) error { return db.Delete(ctx, row) }},
	}
	seen := map[string]bool{} // the server flushes and writes by itself now and then, so a single look tells nothing
	for range 20 {
		for _, w := range writes {
			var flushed bool
			if err := w.write(t.Context()); err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			if err := db.writer.QueryRowContext(t.Context(), `SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()`).Scan(&flushed); err != nil {
				t.Fatal(err)
			}
			seen[w.name] = seen[w.name] || flushed == w.waits
		}
	}
	for _, w := range writes {
		if !seen[w.name] {
			t.Errorf("%s waits for the disk: %v, want %v", w.name, !w.waits, w.waits)
		}
	}
	var commits string
	if err := db.writer.QueryRowContext(t.Context(), `SHOW synchronous_commit`).Scan(&commits); err != nil || commits != "on" {
		t.Errorf("afterwards synchronous_commit is %s (%v)", commits, err)
	}
}
