package message_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/testenv"
)

func TestATransportThatHangsCostsOneTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, errHangs)
		m := w.commit(t, verification())
		w.Enqueue(m)
		run(t, w, 26*time.Second)
		if n := w.box.tries(m.ID); n != 1 || w.transport.tries != 1 {
			t.Fatalf("after a try that hung, %d are written down and %d were made", n, w.transport.tries)
		}
		run(t, w, 30*time.Second)
		if n := len(w.transport.got()); n != 1 || w.box.waiting() != 0 {
			t.Errorf("%d letters, %d waiting", n, w.box.waiting())
		}
	})
}

func TestAnAnswerThatIsLostMeansTheSameLetterAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, errLost)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, time.Minute)
		got := w.transport.got()
		if len(got) != 2 || w.box.waiting() != 0 {
			t.Fatalf("%d letters, %d waiting", len(got), w.box.waiting())
		}
		first, second := parse(t, wire(t, got[0])), parse(t, wire(t, got[1]))
		if id := first.header.Get("Message-Id"); id == "" || second.header.Get("Message-Id") != id {
			t.Errorf("Message-IDs %q and %q, want the same", id, second.header.Get("Message-Id"))
		}
	})
}

func TestTriesAreApartMoreAndMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down []error
		for range 100 {
			down = append(down, errors.New("down"))
		}
		w := build(t, down...)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, 10*time.Minute+10*time.Second)
		if n := w.transport.tries; n < 6 || n > 18 {
			t.Errorf("%d tries in ten minutes", n)
		}
		if w.box.waiting() != 0 {
			t.Error("the message is kept after its time")
		}
	})
}

func TestAStopWaitsForALetterUnderWayButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, errHangs)
		m := w.commit(t, verification())
		w.Enqueue(m)
		began := time.Now()
		run(t, w, time.Second)
		if took := time.Since(began); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("the stop took %v", took-time.Second)
		}
		if w.box.waiting() != 1 || w.box.tries(m.ID) != 1 {
			t.Errorf("%d messages wait, %d tries are written down", w.box.waiting(), w.box.tries(m.ID))
		}
	})
}

func TestAStopLeavesWhatWasNotBegunToItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		w.Enqueue(w.commit(t, verification()))
		w.Run(ctx)
		if n := len(w.transport.got()); n != 0 || w.box.waiting() != 1 {
			t.Errorf("%d letters, %d waiting", n, w.box.waiting())
		}
	})
}

func TestLogsShowAKeyInPlaceOfTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := fmt.Errorf("550 <Ada.L@example.org> is unknown here, code 01234567: %w", message.ErrRefused)
		w := build(t, refused, refused)
		for range 2 {
			w.Enqueue(w.commit(t, verification()))
		}
		run(t, w, time.Second)
		log := w.log.String()
		if lower := strings.ToLower(log); strings.Contains(lower, "ada.l") || strings.Contains(lower, "example") || strings.Contains(lower, "01234567") {
			t.Errorf("the log: %s", log)
		}
		_, rest, _ := strings.Cut(log, `"to":"`)
		key, _, _ := strings.Cut(rest, `"`)
		if len(key) != 16 || strings.Count(log, `"to":"`+key+`"`) != 2 {
			t.Errorf("one mailbox should show under one key in %s", log)
		}
	})
}

// TestTwoQueuesOnOneOutboxSendEachLetterOnce runs on the real state databases.
func TestTwoQueuesOnOneOutboxSendEachLetterOnce(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { twoQueues(t, state.Config{Path: filepath.Join(t.TempDir(), "state.db")}) })
	t.Run("PostgreSQL", func(t *testing.T) { twoQueues(t, state.Config{DSN: testenv.PostgreSQLDatabase(t)}) })
}

func twoQueues(t *testing.T, where state.Config) {
	t.Helper()
	const letters = 40
	var offset time.Duration
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(offset) }
	where.Clock = clock
	db, err := state.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, err := seal.NewKeyring(secret)
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := message.NewRenderer(nil)
	if err != nil {
		t.Fatal(err)
	}
	sent := &transport{}
	queue := func() *message.Queue {
		return message.New(message.Config{Outbox: db, Keys: keys, Renderer: renderer, Transport: sent, From: "accounts@example.org", Clock: clock,
			Log: slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil))})
	}
	first, second := queue(), queue()
	var messages []state.Message
	for range letters {
		v := verification()
		v.Stealth = false
		m, err := first.Compose(v)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	if _, err := db.Insert(t.Context(), state.Row{Ref: "r", Locator: []byte("l"), Flow: "f", Step: "s", Phase: state.PhaseOpen,
		SealedFor: state.SealedForClient, Sealed: []byte("x")}, messages...); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	offset = time.Minute // their writer is gone, and its leases are over
	mu.Unlock()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { first.Run(ctx) })
	all.Go(func() { second.Run(ctx) })
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if n, err := db.WaitingMessages(t.Context()); err == nil && n == 0 {
			break
		}
	}
	stop()
	all.Wait()
	seen := map[string]int{}
	for _, l := range sent.got() {
		seen[l.ID]++
	}
	if len(seen) != letters || len(sent.got()) != letters {
		t.Errorf("%d letters of %d messages, want %d of as many", len(sent.got()), len(seen), letters)
	}
}
