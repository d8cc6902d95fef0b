package message

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/narthex/narthex/internal/failpoint"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// The queue's pace.
const (
	defaultWorkers = 4
	backlog        = 1024             // messages handed over and not begun; more are found by polling
	pollPause      = 2 * time.Second  // how often orphans are looked for
	pollBatch      = 50               //
	sendLimit      = 30 * time.Second // one try, well within a lease
	firstPause     = 5 * time.Second  // after the first failed try; doubles
	longestPause   = 10 * time.Minute //
	// freshness is how long a message that was handed over still belongs to us: the lease, less the time for one try.
	freshness = time.Minute - sendLimit
)

// Outbox is what the queue needs of the state database.
type Outbox interface {
	ClaimMessages(ctx context.Context, limit int) ([]state.Message, error)
	RemoveMessage(ctx context.Context, id string) error
	RetryMessage(ctx context.Context, id string, pause time.Duration) error
}

// Config says what a queue works with.
type Config struct {
	Outbox    Outbox
	Keys      *seal.Keyring
	Renderer  *Renderer
	Transport Transport
	// Taken tells whether somebody has a key. Its errors mean "ask again later", never yes or no.
	Taken func(ctx context.Context, k plugin.Key) (bool, error)
	// From is the sender, LoginURL where an owner can log in; may be empty.
	From, LoginURL string
	// Clock is time.Now outside tests, Workers how many letters are under way at once (0: 4).
	Clock   func() time.Time
	Workers int
	Log     *slog.Logger
}

// Queue sends what is in the outbox.
type Queue struct {
	cfg                            Config
	fresh                          chan handed
	sent, dropped, failed, retried atomic.Int64
}

// handed is a message and when it was handed over.
type handed struct {
	state.Message
	at time.Time
}

// Counts tells what became of messages since the start.
type Counts struct{ Sent, Expired, Refused, Retried int64 }

// New makes a queue; Run works on it.
func New(c Config) *Queue {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Workers == 0 {
		c.Workers = defaultWorkers
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Queue{cfg: c, fresh: make(chan handed, backlog)}
}

// Failpoints lists the places where the crash tests kill the process.
func Failpoints() []string {
	return []string{"message.send.before", "message.send.after", "message.removed"}
}

// Counts tells what became of messages since the start.
func (q *Queue) Counts() Counts {
	return Counts{Sent: q.sent.Load(), Expired: q.dropped.Load(), Refused: q.failed.Load(), Retried: q.retried.Load()}
}

// Enqueue takes over messages that were committed just now. It never waits: what does not fit is found by polling when
// its lease is over.
func (q *Queue) Enqueue(messages ...state.Message) {
	for _, m := range messages {
		select {
		case q.fresh <- handed{m, q.cfg.Clock()}:
		default:
		}
	}
}

// Run sends until ctx is done, and then returns when the letters under way have ended.
func (q *Queue) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range q.cfg.Workers {
		all.Go(func() { q.work(ctx) })
	}
	all.Go(func() { q.poll(ctx) })
	all.Wait()
}

func (q *Queue) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-q.fresh:
			// A letter that has begun is brought to its end, whoever wants to stop.
			one, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendLimit)
			q.handle(one, m)
			cancel()
		}
	}
}

// poll finds messages whose sender has died, and those whose next try has come.
func (q *Queue) poll(ctx context.Context) {
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for {
		messages, err := q.cfg.Outbox.ClaimMessages(ctx, pollBatch)
		if err != nil && ctx.Err() == nil {
			q.cfg.Log.WarnContext(ctx, "the outbox cannot be read", "error", err)
		}
		for _, m := range messages {
			select {
			case q.fresh <- handed{m, q.cfg.Clock()}:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// handle brings one message one step further: sent, dropped, refused, or due again.
func (q *Queue) handle(ctx context.Context, m handed) {
	now := q.cfg.Clock()
	if now.Sub(m.at) > freshness {
		return // its lease may be over: whoever finds it now sends it
	}
	log := q.cfg.Log.With("message", m.ID, "tries", m.Tries)
	if !now.Before(m.ExpiresAt) {
		q.remove(ctx, log, m.ID, &q.dropped)
		log.WarnContext(ctx, "a message expired before it could be sent")
		return
	}
	failpoint.Hit("message.send.before")
	err := q.send(ctx, m.Message)
	failpoint.Hit("message.send.after")
	switch {
	case err == nil:
		q.remove(ctx, log, m.ID, &q.sent)
		failpoint.Hit("message.removed")
		log.DebugContext(ctx, "message sent")
	case errors.Is(err, ErrRefused), errors.Is(err, seal.ErrSealed):
		q.remove(ctx, log, m.ID, &q.failed)
		log.ErrorContext(ctx, "a message was refused for good", "error", class(err))
	default:
		pause := backoff(m.Tries)
		q.retried.Add(1)
		log.WarnContext(ctx, "a message could not be sent", "error", class(err), "again_in", pause.String())
		if err := q.cfg.Outbox.RetryMessage(ctx, m.ID, pause); err != nil {
			log.ErrorContext(ctx, "a message could not be postponed; it is tried again when its lease is over", "error", err)
		}
	}
}

// send chooses the letter and hands it to the transport.
func (q *Queue) send(ctx context.Context, m state.Message) error {
	v, err := open(q.cfg.Keys, m)
	if err != nil {
		return err
	}
	kind := kindCode
	if v.Stealth {
		taken, err := q.cfg.Taken(ctx, v.Key)
		if err != nil {
			return errStore{err}
		}
		if taken {
			kind = kindNotice
		}
	}
	r, err := q.cfg.Renderer.render(kind, v.Locale, v.Code, q.cfg.LoginURL, v.ExpiresAt)
	if err != nil {
		return err
	}
	return q.cfg.Transport.Send(ctx, Letter{ID: m.ID, From: q.cfg.From, To: v.To, Subject: r.subject, Text: r.text, HTML: r.html})
}

func (q *Queue) remove(ctx context.Context, log *slog.Logger, id string, count *atomic.Int64) {
	count.Add(1)
	if err := q.cfg.Outbox.RemoveMessage(ctx, id); err != nil {
		log.ErrorContext(ctx, "a message that is done could not be removed; it may be sent again", "error", err)
	}
}

// errStore is a store that could not be asked.
type errStore struct{ error }

// class names an error for the log: a mail server's words may hold the address.
func class(err error) string {
	var store errStore
	switch {
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
	if tries < 7 {
		pause = firstPause << tries
	}
	return pause/2 + time.Duration(rand.Int64N(int64(pause))) //nolint:gosec // a pause needs no secret randomness
}
