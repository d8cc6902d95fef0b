package message

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

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
	sendLimit      = 25 * time.Second // one try
	bookLimit      = 5 * time.Second  // writing down what became of it
	stopGrace      = 10 * time.Second // for letters under way when the queue is told to stop
	firstPause     = 5 * time.Second  // after the first failed try; doubles
	longestPause   = 80 * time.Second // a code lives ten minutes: who greylists gets it within
	// freshness is how long a message that was handed over may wait: what is left of its lease, less a try with its book
	// entry, is for whoever polls.
	freshness = time.Minute - sendLimit - bookLimit - 5*time.Second
)

// Outbox is what the queue needs of the state database.
type Outbox interface {
	ClaimMessages(ctx context.Context, limit int) ([]state.Message, error)
	RemoveMessages(ctx context.Context, ids []string) error
	// RetryMessage counts a failed try and makes the message due again after the pause.
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
	gate                           gate
	finished                       finished
	wake                           chan struct{} // the poller looks at once
	more                           atomic.Bool   // there was more to claim than one batch
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
	return &Queue{cfg: c, fresh: make(chan handed, backlog), wake: make(chan struct{}, 1), finished: finished{wake: make(chan struct{}, 1)}}
}

// Failpoints lists the places where the crash tests kill the process.
func Failpoints() []string {
	return []string{"message.send.before", "message.send.after", "message.removed"}
}

// Counts tells what became of messages since the start.
func (q *Queue) Counts() Counts {
	return Counts{Sent: q.sent.Load(), Expired: q.dropped.Load(), Refused: q.failed.Load(), Retried: q.retried.Load()}
}

// Trouble returns why no mail can be sent now, in words without personal data, or nil.
func (q *Queue) Trouble() error { return q.gate.trouble() }

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

// Run sends until ctx is done. Letters under way then get ten seconds to end; what is not sent by then, and what was not
// begun, is found by its lease.
func (q *Queue) Run(ctx context.Context) {
	sending, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, abort) })
	defer stop()
	var all sync.WaitGroup
	for range q.cfg.Workers {
		all.Go(func() { q.work(ctx, sending) })
	}
	all.Go(func() { q.poll(ctx) })
	all.Go(func() { q.strike(ctx) })
	all.Wait()
	q.strikeNow(ctx)
}

// work sends one letter after the other until ctx is done; sending outlives it for the letter under way.
func (q *Queue) work(ctx, sending context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case m := <-q.fresh:
			q.handle(sending, m)
			if len(q.fresh) == 0 && q.more.Load() {
				q.look()
			}
		}
	}
}

// look makes the poller look at once.
func (q *Queue) look() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// poll finds messages whose sender has died, and those whose next try has come.
func (q *Queue) poll(ctx context.Context) {
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for {
		q.claim(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-q.wake:
		}
	}
}

// claim takes over as many messages as can be sent soon: while nothing can be sent, one to try it with.
func (q *Queue) claim(ctx context.Context) {
	limit := pollBatch
	one, all := q.gate.due(q.cfg.Clock())
	switch {
	case !one, len(q.fresh) >= pollBatch:
		return
	case !all:
		limit = 1
	}
	messages, err := q.cfg.Outbox.ClaimMessages(ctx, limit)
	if err != nil && ctx.Err() == nil {
		q.cfg.Log.WarnContext(ctx, "the outbox cannot be read", "error", err)
	}
	q.more.Store(len(messages) == pollBatch)
	for _, m := range messages {
		select {
		case q.fresh <- handed{m, q.cfg.Clock()}:
		case <-ctx.Done():
			return
		}
	}
}
