package message

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/narthex/narthex/internal/failpoint"
)

const (
	// gather is how long messages that are done are collected, to be struck off the outbox with one write. Whoever dies
	// meanwhile leaves them there, and they are sent once more.
	gather = 50 * time.Millisecond
	// strikeAgain is how long an outbox is left alone that could not be written.
	strikeAgain = time.Second
)

// finished holds the messages that are done and still in the outbox.
type finished struct {
	mu   sync.Mutex
	ids  []string
	wake chan struct{}
}

func (f *finished) add(ids ...string) {
	f.mu.Lock()
	f.ids = append(f.ids, ids...)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *finished) take() (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids, f.ids = f.ids, nil
	return ids
}

// strike removes messages that are done, until ctx is done.
func (q *Queue) strike(ctx context.Context) {
	for pause := gather; ; {
		select {
		case <-ctx.Done():
			return
		case <-q.finished.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = gather
		if !q.strikeNow(ctx) {
			pause = strikeAgain
		}
	}
}

// strikeNow removes what is done by now. What cannot be removed is kept for the next time.
func (q *Queue) strikeNow(ctx context.Context) bool {
	ids := q.finished.take()
	if len(ids) == 0 {
		return true
	}
	// It is written down also when the time of whoever sent it is up.
	book, done := context.WithTimeout(context.WithoutCancel(ctx), bookLimit)
	defer done()
	if err := q.cfg.Outbox.RemoveMessages(book, ids); err != nil {
		q.cfg.Log.ErrorContext(ctx, "messages that are done could not be removed; they may be sent again", slog.Int("messages", len(ids)), slog.Any("error", err))
		q.finished.add(ids...)
		return false
	}
	failpoint.Hit("message.removed")
	return true
}
