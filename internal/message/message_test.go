package message_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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
	mu  sync.Mutex
	all map[string]*entry
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

func (o *outbox) RemoveMessage(_ context.Context, id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, id)
	return nil
}

func (o *outbox) RetryMessage(_ context.Context, id string, pause time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[id].due = time.Now().Add(pause)
	o.all[id].Tries++
	return nil
}

func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.all)
}

// transport fails as often as it is told to, and keeps what it was given.
type transport struct {
	mu      sync.Mutex
	errs    []error
	letters []message.Letter
	tries   int
}

func (t *transport) Send(_ context.Context, l message.Letter) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tries++
	if len(t.errs) > 0 {
		err := t.errs[0]
		t.errs = t.errs[1:]
		if err != nil {
			return err
		}
	}
	t.letters = append(t.letters, l)
	return nil
}

func (t *transport) got() []message.Letter {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]message.Letter{}, t.letters...)
}

type world struct {
	*message.Queue
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
	renderer, err := message.NewRenderer()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{box: &outbox{all: map[string]*entry{}}, transport: &transport{errs: errs}, log: &bytes.Buffer{}}
	w.Queue = message.New(message.Config{
		Outbox: w.box, Keys: keys, Renderer: renderer, Transport: w.transport, From: "accounts@example.org",
		LoginURL: "https://login.example.org/?a=1&b=2", Workers: 2, Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Taken: func(context.Context, plugin.Key) (bool, error) {
			if w.storeDown.Load() {
				return false, errors.New("the store is down")
			}
			return w.taken.Load(), nil
		},
	})
	return w
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

func TestAHandedOverMessageIsSentAtOnceAndRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, time.Second)
		got := w.transport.got()
		if len(got) != 1 || got[0].To != "Ada.L@example.org" || !strings.Contains(got[0].Text, "\n    01234567\n") || !strings.Contains(got[0].HTML, "01234567") {
			t.Fatalf("sent: %+v", got)
		}
		if w.box.waiting() != 0 || w.Counts().Sent != 1 {
			t.Errorf("%d messages wait, counts %+v", w.box.waiting(), w.Counts())
		}
	})
}

func TestTheOwnerOfATakenAddressGetsANoticeOfTheSameSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, time.Second)
		w.taken.Store(true)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, time.Second)
		got := w.transport.got()
		if len(got) != 2 {
			t.Fatalf("%d letters", len(got))
		}
		code, notice := got[0], got[1]
		if strings.Contains(notice.Text+notice.HTML+notice.Subject, "01234567") || notice.To != code.To {
			t.Errorf("the notice: %s", notice.Text)
		}
		if !strings.Contains(notice.Text, "https://login.example.org/?a=1&b=2") || !strings.Contains(notice.HTML, "?a=1&amp;b=2") {
			t.Errorf("the notice does not tell where to log in: %s %s", notice.Text, notice.HTML)
		}
		if a, b := len(code.Subject+code.Text+code.HTML), len(notice.Subject+notice.Text+notice.HTML); a != b {
			t.Errorf("a code has %d bytes, a notice %d", a, b)
		}
	})
}

func TestWithoutStealthTheStoreIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		w.storeDown.Store(true)
		v := verification()
		v.Stealth = false
		w.Enqueue(w.commit(t, v))
		run(t, w, time.Second)
		if got := w.transport.got(); len(got) != 1 || !strings.Contains(got[0].Text, v.Code) {
			t.Errorf("sent: %+v", got)
		}
	})
}

func TestAStoreThatCannotBeAskedIsNeverGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		w.taken.Store(true)
		w.storeDown.Store(true)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, 20*time.Second)
		if got := w.transport.got(); len(got) != 0 || w.box.waiting() != 1 {
			t.Fatalf("while the store is down: %d letters, %d waiting", len(got), w.box.waiting())
		}
		w.storeDown.Store(false)
		run(t, w, 2*time.Minute)
		if got := w.transport.got(); len(got) != 1 || strings.Contains(got[0].Text, "01234567") {
			t.Errorf("afterwards: %+v", got)
		}
	})
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
		if log := w.log.String(); strings.Contains(log, "ada") || strings.Contains(log, "01234567") || !strings.Contains(log, m.ID) {
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
		down := errors.New("down")
		w := build(t, down, down, down, down, down, down, down, down, down, down, down, down)
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
	for _, canary := range []string{"ada", "Ada", "example", "01234567"} {
		if bytes.Contains(m.Sealed, []byte(canary)) {
			t.Errorf("%q shows", canary)
		}
	}
}

func letter(to string) message.Letter {
	return message.Letter{ID: strings.ToLower(strings.Repeat("ab", 16)), From: "accounts@example.org", To: to, Subject: "Your code", Text: "Hello\n.\n..dots\n\n12345678\n", HTML: "<p>Hello</p>"}
}

func TestNothingEnteredBecomesAHeaderOrASecondRecipient(t *testing.T) {
	f := message.Files{Dir: t.TempDir()}
	for _, to := range []string{"a@example.org\r\nBcc: eve@evil.org", "a@example.org\nX: y", "a@example.org, eve@evil.org", "Eve <eve@evil.org>", "<a@example.org>",
		"a@example.org\x00", "a@example.org\u2028Bcc: x@y.org", "", "no address"} {
		if err := f.Send(t.Context(), letter(to)); !errors.Is(err, message.ErrRefused) {
			t.Errorf("To %q: %v, want ErrRefused", to, err)
		}
	}
	bad := letter("a@example.org")
	bad.Subject = "Hello\r\nBcc: eve@evil.org"
	if err := f.Send(t.Context(), bad); !errors.Is(err, message.ErrRefused) {
		t.Errorf("a line break in the subject: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(f.Dir, "*")); len(files) != 0 {
		t.Errorf("files were left: %v", files)
	}
}

func TestKeptMailsComeBackAsTheyWere(t *testing.T) {
	f := message.Files{Dir: filepath.Join(t.TempDir(), "mail")}
	if list, err := f.List(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("before the first mail: %v, %v", list, err)
	}
	want := letter("o'hara+x@example.org")
	for range 2 { // the same letter twice, as after a crash
		if err := f.Send(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	second := letter("b@example.org")
	second.ID = strings.Repeat("ff", 16)
	if err := f.Send(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	list, err := f.List(t.Context())
	if err != nil || len(list) != 2 || list[0].To != "b@example.org" || list[1].To != want.To || list[1].Text != "" {
		t.Fatalf("List = %+v, %v", list, err)
	}
	got, err := f.Read(t.Context(), want.ID)
	if err != nil || got.Subject != want.Subject || got.From != want.From || strings.ReplaceAll(got.Text, "\r\n", "\n") != want.Text || !strings.Contains(got.HTML, "<p>Hello</p>") {
		t.Errorf("Read = %+v, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(f.Dir, want.ID+".eml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, id := range []string{"../secret", "x", rand.Text(), strings.Repeat("0", 32), "", want.ID + ".eml"} {
		if _, err := f.Read(t.Context(), id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Read(%q) = %v", id, err)
		}
	}
}
