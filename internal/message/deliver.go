package message

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/narthex/narthex/internal/failpoint"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
)

// handle brings one message one step further: sent, dropped, refused, or due again.
func (q *Queue) handle(ctx context.Context, m handed) {
	now := q.cfg.Clock()
	if now.Sub(m.at) > freshness {
		return // its lease may be over: whoever finds it now sends it
	}
	log := q.cfg.Log.With("message", m.ID, "tries", m.Tries)
	// What became of a letter is written down even when the letter's own time is up.
	book, done := context.WithTimeout(context.WithoutCancel(ctx), sendLimit+bookLimit)
	defer done()
	if !now.Before(m.ExpiresAt) {
		q.remove(m.ID, &q.dropped)
		log.WarnContext(ctx, "a message expired before it could be sent")
		return
	}
	if !q.gate.enter(now) {
		q.postpone(book, log, m.ID, 0) // it is the next to be tried, here or elsewhere
		return
	}
	failpoint.Hit("message.send.before")
	to, err := q.send(ctx, m.Message, min(sendLimit, m.ExpiresAt.Sub(now)))
	failpoint.Hit("message.send.after")
	log = log.With("to", to)
	switch {
	case err == nil:
		q.remove(m.ID, &q.sent)
		log.DebugContext(ctx, "message sent")
	case errors.Is(err, ErrRefused), errors.Is(err, seal.ErrSealed):
		q.remove(m.ID, &q.failed)
		log.ErrorContext(ctx, "a message was refused for good", "error", class(err))
	default:
		pause := backoff(m.Tries)
		if errors.Is(err, ErrDown) {
			pause = probePause // the gate sets the pace
		}
		q.retried.Add(1)
		log.WarnContext(ctx, "a message could not be sent", "error", class(err), "again_in", pause.String())
		q.postpone(book, log, m.ID, pause)
	}
}

func (q *Queue) postpone(ctx context.Context, log *slog.Logger, id string, pause time.Duration) {
	if err := q.cfg.Outbox.RetryMessage(ctx, id, pause); err != nil {
		log.ErrorContext(ctx, "a message could not be postponed; it is tried again when its lease is over", "error", err)
	}
}

// send chooses the letter and hands it to the transport, which it has entered the gate for. limit ends the try: no letter
// leaves after it has expired. to is the recipient's log key, "" while it is not known.
func (q *Queue) send(stopped context.Context, m state.Message, limit time.Duration) (to string, err error) {
	ctx, cancel := context.WithTimeout(stopped, limit)
	defer cancel()
	asked := false
	defer func() {
		if ctx.Err() != nil && (stopped.Err() != nil || limit < sendLimit) {
			asked = false // it was given no time: that says nothing about the transport
		}
		q.leaveGate(ctx, asked, err)
	}()
	v, err := open(q.cfg.Keys, m)
	if err != nil {
		return "", err
	}
	if to, err = q.cfg.Keys.LogKey(v.Key.Canonical); err != nil {
		return "", err
	}
	kind := kindCode
	if v.Stealth {
		taken, err := q.cfg.Taken(ctx, v.Key)
		if err != nil {
			return to, errStore{err}
		}
		if taken {
			kind = kindNotice
		}
	}
	l, err := q.letter(m.ID, kind, v)
	if err != nil {
		return to, err
	}
	asked = true
	return to, q.cfg.Transport.Send(ctx, l)
}

// leaveGate tells the gate what the transport said, and the operator when that changes what becomes of everybody's mail.
func (q *Queue) leaveGate(ctx context.Context, asked bool, err error) {
	switch q.gate.leave(q.cfg.Clock(), asked, err) {
	case nothingNew:
	case opened:
		q.cfg.Log.InfoContext(ctx, "mails can be sent again")
		q.look()
	case shut:
		fix := ""
		if f := (*Failure)(nil); errors.As(err, &f) {
			fix = f.Fix
		}
		q.cfg.Log.ErrorContext(ctx, "no mail can be sent; all are kept until they expire", "error", class(err), "fix", fix)
	}
}

// letter puts a message into words. All kinds are rendered, whichever goes out, and it is filled up to what the longest
// of them needs: nobody who watches the line can tell the kinds apart by their length.
func (q *Queue) letter(id, kind string, v Verification) (chosen Letter, err error) {
	size, longest := 0, 0
	for _, k := range kinds() {
		r, err := q.cfg.Renderer.render(k, v.Locale, v.Code, q.cfg.LoginURL, v.ExpiresAt)
		if err != nil {
			return Letter{}, err
		}
		l := Letter{ID: id, Date: ComposedAt(id), From: q.cfg.From, To: v.To, Subject: r.subject, Text: r.text, HTML: r.html}
		n, err := l.size()
		if err != nil {
			return Letter{}, err
		}
		longest = max(longest, n)
		if k == kind {
			chosen, size = l, n
		}
	}
	chosen.HTML += filling(sizeFor(longest) - size)
	return chosen, nil
}

func (q *Queue) remove(id string, count *atomic.Int64) {
	count.Add(1)
	q.finished.add(id)
}

// errStore is a store that could not be asked.
type errStore struct{ error }

// class names an error for the log: a mail server's words may hold the address.
func class(err error) string {
	var store errStore
	var failure *Failure
	switch {
	case errors.As(err, &failure):
		return failure.Error()
	case errors.As(err, &store):
		return "the store cannot be asked"
	case errors.Is(err, seal.ErrSealed):
		return "sealed under a key that is no longer known"
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "time is up"
	default:
		return "the transport failed"
	}
}

// backoff doubles with every try, with a random part so that many do not come back at once.
func backoff(tries int) time.Duration {
	pause := longestPause
	if tries < 4 {
		pause = firstPause << tries
	}
	return pause/2 + time.Duration(rand.Int64N(int64(pause))) //nolint:gosec // a pause needs no secret randomness
}
