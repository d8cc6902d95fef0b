package state_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/state"
)

func TestAMessageBelongsToOneSenderAtATime(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		row := insert(t, db)
		if _, err := db.Commit(t.Context(), row, state.Message{ID: "m1", Sealed: []byte("x"), ExpiresAt: c.now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if got, err := db.ClaimMessages(t.Context(), 10); err != nil || len(got) != 0 {
			t.Fatalf("a message that its writer is sending was handed out: %v, %v", got, err)
		}
		c.move(time.Minute)
		var claimed atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				got, err := db.ClaimMessages(context.Background(), 10)
				if err != nil {
					t.Error(err)
				}
				claimed.Add(int64(len(got)))
			})
		}
		all.Wait()
		if claimed.Load() != 1 {
			t.Errorf("the orphan was handed out %d times", claimed.Load())
		}
		if err := db.RetryMessage(t.Context(), "m1", 5*time.Second); err != nil {
			t.Fatal(err)
		}
		c.move(5 * time.Second)
		got, err := db.ClaimMessages(t.Context(), 10)
		if err != nil || len(got) != 1 || got[0].Tries != 1 || string(got[0].Sealed) != "x" || !got[0].ExpiresAt.Equal(c.now().Add(time.Hour-65*time.Second)) {
			t.Fatalf("after a failed try: %+v, %v", got, err)
		}
		if err := db.RemoveMessages(t.Context(), []string{"m1"}); err != nil {
			t.Fatal(err)
		}
		if n, err := db.WaitingMessages(t.Context()); err != nil || n != 0 {
			t.Errorf("%d messages wait, %v", n, err)
		}
	})
}

func TestALeaseDiesWithItsProcess(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "state.db")
	first := open(t, path, c)
	row := insert(t, first)
	if _, err := first.Commit(t.Context(), row, state.Message{ID: "m1", Sealed: []byte("x"), ExpiresAt: c.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Open(t.Context(), state.Config{Path: path}); !errors.Is(err, state.ErrInUse) {
		t.Fatalf("a second process opens the file: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, path, c).ClaimMessages(t.Context(), 10); err != nil || len(got) != 1 {
		t.Errorf("the next process finds %d messages, %v", len(got), err)
	}
}
