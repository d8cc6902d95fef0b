package message_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

const secret = "8f2a1c0d9e3b4756a1b2c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f7081"

// outbox is an outbox in memory that leases as the state database does.
type outbox struct {
	mu       sync.Mutex
	all      map[string]*entry
	writes   int // removals so far
	refusals int // removals that fail from now on
}

type entry struct {
	state.Message
	due time.Time
}

func (o *outbox) put(m state.Message, due time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[m.ID] = &entry{m, due}
}

func (o *outbox) ClaimMessages(_ context.Context, limit int) (got []state.Message, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.all {
		if len(got) < limit && !time.Now().Before(e.due) {
			e.due = time.Now().Add(time.Minute)
			got = append(got, e.Message)
		}
	}
	return got, nil
}

func (o *outbox) RemoveMessages(ctx context.Context, ids []string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	if o.refusals > 0 {
		o.refusals--
		return errors.New("the outbox cannot be written")
	}
	for _, id := range ids {
		delete(o.all, id)
	}
	return nil
}

func (o *outbox) RetryMessage(ctx context.Context, id string, pause time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	due := time.Now().Add(pause)
	if e := o.all[id].ExpiresAt; due.After(e) {
		due = e
	}
	o.all[id].due = due
	o.all[id].Tries++
	return nil
}

// refuse lets the next removals fail.
func (o *outbox) refuse(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refusals = n
}

// removals returns how often something was to be removed.
func (o *outbox) removals() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes
}

// tries returns how often a message has failed.
func (o *outbox) tries(id string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all[id].Tries
}

func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.all)
}

// Ways in which a transport misbehaves, beside errors of its own.
var (
	errHangs = errors.New("the transport never answers")
	errLost  = errors.New("the transport delivers, but its answer is lost")
)

// transport fails as often as it is told to, and keeps what it delivered.
type transport struct {
	mu      sync.Mutex
	errs    []error
	letters []message.Letter
	tries   int
}

func (t *transport) Send(ctx context.Context, l message.Letter) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tries++
	var err error
	if len(t.errs) > 0 {
		err, t.errs = t.errs[0], t.errs[1:]
	}
	if errors.Is(err, errHangs) {
		t.mu.Unlock()
		<-ctx.Done()
		t.mu.Lock()
		return ctx.Err()
	}
	if err == nil || errors.Is(err, errLost) {
		t.letters = append(t.letters, l)
	}
	return err
}

func (t *transport) got() []message.Letter {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]message.Letter{}, t.letters...)
}

type world struct {
	*message.Queue
	cfg       message.Config
	box       *outbox
	transport *transport
	log       *bytes.Buffer
	taken     atomic.Bool
	storeDown atomic.Bool
}

func build(t *testing.T, errs ...error) *world {
	t.Helper()
	keys, err := seal.NewKeyring(secret)
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := message.NewRenderer(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{box: &outbox{all: map[string]*entry{}}, transport: &transport{errs: errs}, log: &bytes.Buffer{}}
	w.cfg = message.Config{
		Outbox: w.box, Keys: keys, Renderer: renderer, Transport: w.transport, From: "accounts@example.org",
		LoginURL: "https://login.example.org/?a=1&b=2", Workers: 2, Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Taken: func(context.Context, plugin.Key) (bool, error) {
			if w.storeDown.Load() {
				return false, errors.New("the store is down")
			}
			return w.taken.Load(), nil
		},
	}
	w.Queue = message.New(w.cfg)
	return w
}

// LoginURL starts over with another login page.
func (w *world) LoginURL(u string) {
	w.cfg.LoginURL = u
	w.Queue = message.New(w.cfg)
}

func verification() message.Verification {
	return message.Verification{To: "Ada.L@example.org", Key: plugin.Key{Kind: plugin.KindEmail, Canonical: "1:ada.l@example.org", Value: "Ada.L@example.org"},
		Stealth: true, Code: "01234567", ExpiresAt: time.Now().Add(10 * time.Minute)}
}

// commit puts a message into the outbox as a registration's commit does.
func (w *world) commit(t *testing.T, v message.Verification) state.Message {
	t.Helper()
	m, err := w.Compose(v)
	if err != nil {
		t.Fatal(err)
	}
	w.box.put(m, time.Now().Add(time.Minute))
	return m
}

// run works in a bubble of its own time for as long as told, then stops in order.
func run(t *testing.T, w *world, d time.Duration) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	time.Sleep(d)
	stop()
	<-done
}

func TestAFailedTryIsRepeatedUnderTheSameNameUntilItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := errors.New("connection lost while talking to ada.l@example.org about 01234567")
		w := build(t, hung, hung, nil)
		m := w.commit(t, verification())
		w.Enqueue(m)
		run(t, w, 3*time.Minute)
		got := w.transport.got()
		if len(got) != 1 || got[0].ID != m.ID || w.transport.tries != 3 || w.box.waiting() != 0 {
			t.Fatalf("%d letters after %d tries, %d waiting", len(got), w.transport.tries, w.box.waiting())
		}
		if log := w.log.String(); strings.Contains(strings.ToLower(log), "ada.l") || strings.Contains(log, "01234567") || !strings.Contains(log, m.ID) {
			t.Errorf("the log: %s", log)
		}
	})
}

func TestARefusedMessageFailsVisiblyAndStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := fmt.Errorf("550 no such user: %w", message.ErrRefused)
		w := build(t, refused, refused, refused, refused, refused, refused, refused, refused, nil)
		for range 9 {
			w.Enqueue(w.commit(t, verification()))
		}
		run(t, w, time.Second)
		if c := w.Counts(); c.Refused != 8 || c.Sent != 1 || w.box.waiting() != 0 {
			t.Errorf("counts %+v, %d waiting", c, w.box.waiting())
		}
		if n := strings.Count(w.log.String(), "refused for good"); n != 8 {
			t.Errorf("%d refusals in the log", n)
		}
	})
}

func TestAnExpiredMessageIsDroppedNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, slices.Repeat([]error{errors.New("down")}, 100)...)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, 30*time.Minute)
		if got := w.transport.got(); len(got) != 0 || w.box.waiting() != 0 || w.Counts().Expired != 1 {
			t.Errorf("%d letters, %d waiting, counts %+v", len(got), w.box.waiting(), w.Counts())
		}
	})
}

func TestAnOrphanIsFoundWhenItsLeaseIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		w.commit(t, verification()) // its process died before it was handed over
		run(t, w, 50*time.Second)
		if n := len(w.transport.got()); n != 0 {
			t.Fatalf("%d letters while the lease lasts", n)
		}
		run(t, w, 20*time.Second)
		if n := len(w.transport.got()); n != 1 {
			t.Errorf("%d letters afterwards", n)
		}
	})
}

func TestAMessageThatWaitedTooLongIsLeftToItsNextOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		m := w.commit(t, verification())
		w.Enqueue(m)
		time.Sleep(45 * time.Second)
		w.box.put(m, time.Now().Add(time.Hour)) // somebody else's by now
		run(t, w, time.Second)
		if n := len(w.transport.got()); n != 0 {
			t.Errorf("it was sent by two")
		}
	})
}

func TestAForeignMessageIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		m := w.commit(t, verification())
		m.ID = strings.Repeat("0", 32)
		w.box.put(m, time.Now())
		run(t, w, 3*time.Second)
		if n := len(w.transport.got()); n != 0 || w.Counts().Refused != 1 {
			t.Errorf("%d letters, counts %+v", n, w.Counts())
		}
	})
}

func TestNothingOfAMessageShowsInTheOutbox(t *testing.T) {
	w := build(t)
	m, err := w.Compose(verification())
	if err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{"ada.l", "Ada.L", "example", "01234567"} {
		if bytes.Contains(m.Sealed, []byte(canary)) {
			t.Errorf("%q shows", canary)
		}
	}
}
