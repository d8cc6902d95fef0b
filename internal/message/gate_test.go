package message_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/message"
)

// server is a transport that is down or well, as a whole.
type server struct {
	transport
	down  atomic.Pointer[message.Failure]
	asked atomic.Int64
}

func (s *server) Send(ctx context.Context, l message.Letter) error {
	s.asked.Add(1)
	if f := s.down.Load(); f != nil {
		return f
	}
	return s.transport.Send(ctx, l)
}

// buildOn is build with a transport of the test's own.
func buildOn(t *testing.T, transport message.Transport) *world {
	t.Helper()
	w := build(t)
	w.cfg.Transport = transport
	w.Queue = message.New(w.cfg)
	return w
}

func TestWhileTheServerIsDownOneLetterAtATimeIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		w := buildOn(t, s)
		s.down.Store(&message.Failure{Kind: message.ErrDown, Problem: "the mail server cannot be reached", Cause: errors.New("connection refused")})
		for range 200 {
			w.Enqueue(w.commit(t, verification()))
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		time.Sleep(5 * time.Minute)
		if n := s.asked.Load(); n < 60 || n > 200 {
			t.Errorf("in five minutes the server was asked %d times", n)
		}
		if err := w.Trouble(); !errors.Is(err, message.ErrDown) {
			t.Errorf("Trouble = %v", err)
		}
		s.down.Store(nil)
		time.Sleep(5 * time.Second)
		if n := len(s.got()); n != 200 || w.box.waiting() != 0 || w.Trouble() != nil {
			t.Errorf("five seconds after its return %d letters have come and %d wait; Trouble = %v", n, w.box.waiting(), w.Trouble())
		}
		stop()
		<-done
		log := w.log.String()
		if bad, good := strings.Count(log, "no mail can be sent"), strings.Count(log, "mails can be sent again"); bad != 1 || good != 1 {
			t.Errorf("the outage is told %d times, its end %d times", bad, good)
		}
		if !strings.Contains(log, "cannot be reached: connection refused") {
			t.Error("the log does not say why")
		}
	})
}

func TestWhatAnOperatorHasToMendIsTriedLessOftenAndToldAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		w := buildOn(t, s)
		s.down.Store(&message.Failure{Kind: message.ErrDown, Problem: "the mail server refuses the user and the password", Fix: "correct them", Reply: 535})
		for range 20 {
			w.Enqueue(w.commit(t, verification()))
		}
		run(t, w, 5*time.Minute)
		if n := s.asked.Load(); n < 8 || n > 16 {
			t.Errorf("a password was tried %d times in five minutes", n)
		}
		s.down.Store(&message.Failure{Kind: message.ErrDown, Problem: "the mail server refuses the sender", Fix: "choose another", Reply: 553})
		run(t, w, time.Minute)
		if log := w.log.String(); strings.Count(log, "no mail can be sent") != 2 || !strings.Contains(log, `"fix":"choose another"`) {
			t.Errorf("the log: %s", log)
		}
		if w.box.waiting() != 20 {
			t.Errorf("%d messages are kept", w.box.waiting())
		}
	})
}

func TestALetterThatFailsByItselfHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bad []error
		for range 8 {
			bad = append(bad, &message.Failure{Problem: "the mail server puts the letter off", Reply: 451})
		}
		w := build(t, bad...)
		for range 20 {
			w.Enqueue(w.commit(t, verification()))
		}
		run(t, w, time.Second)
		if n := len(w.transport.got()); n != 12 || w.Trouble() != nil {
			t.Errorf("%d of 12 letters went; Trouble = %v", n, w.Trouble())
		}
	})
}

func TestNoLetterLeavesAfterItHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := sending(func(ctx context.Context, _ message.Letter) error {
			<-ctx.Done()
			return &message.Failure{Kind: message.ErrDown, Problem: "the time for one try is up"}
		})
		w := buildOn(t, slow)
		v := verification()
		v.ExpiresAt = time.Now().Add(3 * time.Second)
		began := time.Now()
		w.Enqueue(w.commit(t, v))
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			for w.box.waiting() > 0 {
				time.Sleep(100 * time.Millisecond)
			}
			stop()
		}()
		w.Run(ctx)
		if took := time.Since(began); took > 6*time.Second || w.Counts().Expired != 1 {
			t.Errorf("after %v: %+v", took, w.Counts())
		}
		if w.Trouble() != nil {
			t.Errorf("a letter without time is taken for an outage: %v", w.Trouble())
		}
	})
}

// sending is a function as a transport.
type sending func(context.Context, message.Letter) error

func (s sending) Send(ctx context.Context, l message.Letter) error { return s(ctx, l) }

func TestAProbeThatNeverComesToTheServerLetsTheNextOneTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		w := buildOn(t, s)
		s.down.Store(&message.Failure{Kind: message.ErrDown, Problem: "down"})
		w.Enqueue(w.commit(t, verification()))
		run(t, w, 10*time.Second)
		w.storeDown.Store(true)
		run(t, w, 30*time.Second) // probes fail at the store
		w.storeDown.Store(false)
		s.down.Store(nil)
		run(t, w, 3*time.Minute)
		if n := len(s.got()); n != 1 {
			t.Errorf("%d letters, log %s", n, w.log)
		}
	})
}

func TestALogOfAFailureHoldsNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, fmt.Errorf("to ada.l@example.org: %w", &message.Failure{Problem: "the mail server puts the letter off", Reply: 450}))
		w.Enqueue(w.commit(t, verification()))
		run(t, w, time.Second)
		if log := w.log.String(); !strings.Contains(log, "puts the letter off (reply 450)") || strings.Contains(log, "example.org") {
			t.Errorf("the log: %s", log)
		}
	})
}
