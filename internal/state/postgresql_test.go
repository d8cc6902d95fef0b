package state_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/testenv"
)

// replica opens a shared database as one of several processes does.
func replica(t *testing.T, dsn string) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestReplicasMayStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			db, err := state.Open(t.Context(), state.Config{DSN: dsn})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(db.Ping(t.Context()), db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestARegistrationGoesOnAtAnotherReplica(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	first, second := replica(t, dsn), replica(t, dsn)
	row := insert(t, first)
	got, err := second.CountAttempt(t.Context(), row.Locator, "about-you", nil)
	if err != nil || got.Attempts != 1 {
		t.Fatalf("CountAttempt = %+v, %v", got, err)
	}
	got.Step = "next"
	if _, err := second.Commit(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Commit(t.Context(), row); !errors.Is(err, state.ErrStale) {
		t.Errorf("a stale write at the first = %v", err)
	}
}

func TestOnlyAsManyGuessesAsAllowedOverAllReplicas(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	replicas := []*state.DB{replica(t, dsn), replica(t, dsn), replica(t, dsn)}
	for range 20 {
		row := insert(t, replicas[0])
		var counted atomic.Int64
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				_, err := replicas[i%3].CountAttempt(context.Background(), row.Locator, "about-you", nil)
				switch {
				case err == nil:
					counted.Add(1)
				case !errors.Is(err, state.ErrExhausted):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if counted.Load() != 5 {
			t.Fatalf("%d guesses were counted, want 5", counted.Load())
		}
	}
}

func TestAMessageIsClaimedByOneReplica(t *testing.T) {
	dsn, c := testenv.PostgreSQLDatabase(t), newClock()
	writer := openPostgreSQL(t, dsn, c)
	const messages = 200
	for range messages {
		m := state.Message{ID: rand.Text(), Sealed: []byte("m"), ExpiresAt: c.now().Add(time.Hour)}
		row := state.Row{Ref: rand.Text(), Locator: []byte(rand.Text()), Phase: state.PhaseOpen, SealedFor: state.SealedForClient, Sealed: []byte("s")}
		if _, err := writer.Insert(t.Context(), row, m); err != nil {
			t.Fatal(err)
		}
	}
	c.move(2 * time.Minute) // the leases of a writer that died are over
	var mu sync.Mutex
	owners := map[string]int{}
	var all sync.WaitGroup
	for range 4 {
		db, err := state.Open(t.Context(), state.Config{DSN: dsn, Clock: c.now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		all.Go(func() {
			for {
				claimed, err := db.ClaimMessages(context.Background(), 7)
				if err != nil {
					t.Error(err)
				}
				if len(claimed) == 0 {
					return
				}
				mu.Lock()
				for _, m := range claimed {
					owners[m.ID]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(owners) != messages {
		t.Errorf("%d messages were claimed, want %d", len(owners), messages)
	}
	for id, n := range owners {
		if n != 1 {
			t.Errorf("message %s was claimed %d times", id, n)
		}
	}
}

func TestTheServersClockDecides(t *testing.T) {
	db := replica(t, testenv.PostgreSQLDatabase(t))
	before := time.Now()
	now, err := db.Now(t.Context())
	// One machine, two clocks: they agree.
	if err != nil || now.Before(before.Add(-time.Second)) || now.After(time.Now().Add(time.Second)) {
		t.Errorf("Now = %v, %v; here it is %v", now, err, time.Now())
	}
	if row := insert(t, db); row.CreatedAt.Sub(now).Abs() > time.Second {
		t.Errorf("the row was made at %v", row.CreatedAt)
	}
}

func TestAServerThatComesBackIsUsedAgain(t *testing.T) {
	server := testenv.StartPostgreSQL(t, true)
	db := replica(t, server.Database(t))
	row := insert(t, db)
	server.Kill()
	if _, err := db.Load(t.Context(), row.Locator); err == nil || errors.Is(err, state.ErrGone) {
		t.Errorf("while it is away: %v", err)
	}
	server.Restart(t)
	var err error
	for range 2 * 20 { // every connection of the pool may have to be found dead
		if _, err = db.Load(t.Context(), row.Locator); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("when it is back: %v", err)
	}
	if _, err := db.Commit(t.Context(), row); err != nil {
		t.Errorf("a write: %v", err)
	}
}

func TestNoErrorShowsThePasswordOfTheDatabase(t *testing.T) {
	const canary = "hunter2hunter2"
	for _, dsn := range []string{
		"postgres://narthex:" + canary + "@127.0.0.1:1/narthex", "postgres://narthex:" + canary + "@127.0.0.1:1/narthex?sslmode=perhaps",
		"postgres://narthex:" + canary + "@[::1/narthex", "postgres://narthex:" + canary + "%zz@127.0.0.1:1/narthex",
	} {
		_, err := state.Open(t.Context(), state.Config{DSN: dsn})
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); err == nil || strings.Contains(text, canary) {
			t.Errorf("the password is shown: %s", text)
		}
	}
}

func TestAServerThatWouldLoseWhatWasAnsweredIsRefused(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	for query, want := range map[string]string{
		"&synchronous_commit=off":                     "synchronous_commit=on",
		"&default_transaction_read_only=on":           "target_session_attrs",
		"&synchronous_commit=remote_apply":            "",
		"&default_transaction_isolation=serializable": "",
	} {
		db, err := state.Open(t.Context(), state.Config{DSN: dsn + query})
		switch {
		case err == nil:
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			if want != "" {
				t.Errorf("%s is not refused", query)
			}
		case want == "" || !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v", query, err)
		}
	}
}
