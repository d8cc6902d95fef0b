package message_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/message"
)

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
		if a, b := octets(wire(t, code)), octets(wire(t, notice)); a != b || a%message.SizeClass != 0 {
			t.Errorf("a code has %d bytes on the wire, a notice %d; want the same, a multiple of %d", a, b, message.SizeClass)
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
