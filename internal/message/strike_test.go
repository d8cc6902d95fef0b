package message_test

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatIsDoneIsStruckOffTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		for range 20 {
			w.Enqueue(w.commit(t, verification()))
		}
		run(t, w, time.Second)
		if got, writes := len(w.transport.got()), w.box.removals(); got != 20 || writes != 1 || w.box.waiting() != 0 {
			t.Errorf("%d letters were struck off with %d writes, %d wait", got, writes, w.box.waiting())
		}
	})
}

func TestWhatCannotBeStruckOffIsTriedAgainAndNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		w.box.refuse(3)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, 10*time.Second)
		if got, writes := len(w.transport.got()), w.box.removals(); got != 1 || writes != 4 || w.box.waiting() != 0 {
			t.Errorf("%d letters, %d writes, %d wait", got, writes, w.box.waiting())
		}
	})
}

func TestAQueueThatIsToldToStopStrikesOffWhatItHasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		w.Enqueue(w.commit(t, verification()))
		run(t, w, time.Millisecond)
		if got := len(w.transport.got()); got != 1 || w.box.waiting() != 0 {
			t.Errorf("%d letters, %d wait", got, w.box.waiting())
		}
	})
}
