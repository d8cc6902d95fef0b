package plugin

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// Host keeps a persister process running and calls it.
type Host struct {
	cfg        OpenConfig
	times      timing
	log        *slog.Logger
	dir        *socketDir
	client     *client
	stop       context.CancelFunc
	supervised chan struct{} // closed when the last process has ended

	mu      sync.Mutex
	current *child        // nil while none is running
	changed chan struct{} // closed and replaced with every change of current
	lostAt  time.Time
	closed  bool
	calls   sync.WaitGroup
}

// Backend returns what the store offers. It stays valid when the process is replaced.
func (h *Host) Backend() Backend { return h.client.backend() }

// Description returns what the store says of itself.
func (h *Host) Description() Description { return h.client.of }

// Ping tells whether the process runs and its store can be reached now: nil, ErrUnavailable, or a context error as well.
func (h *Host) Ping(ctx context.Context) error { return h.client.Ping(ctx) }

// Close refuses new calls, waits for those under way, and ends the process. It takes at most as long as a call may take.
func (h *Host) Close() error {
	h.mu.Lock()
	already := h.closed
	h.closed = true
	h.mu.Unlock()
	if already {
		<-h.supervised
		return nil
	}
	drained := make(chan struct{})
	go func() {
		h.calls.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-time.After(h.times.drain):
		h.log.Warn("persister stopped with calls under way")
	}
	h.stop()
	<-h.supervised
	<-drained // the calls have ended with the process
	h.dir.remove()
	h.log.Info("persister stopped")
	return nil
}

var (
	errStopping = errors.New("the persister is being stopped")
	errDown     = errors.New("the persister is not running")
)

// acquire returns the connection of the process that runs. Shortly after a crash it waits for the next one, later it
// fails at once.
func (h *Host) acquire(ctx context.Context) (pb.PersisterClient, func(), error) {
	for {
		h.mu.Lock()
		switch {
		case h.closed:
			h.mu.Unlock()
			return nil, nil, errStopping
		case h.current != nil:
			h.calls.Add(1)
			rpc := h.current.rpc
			h.mu.Unlock()
			return rpc, h.calls.Done, nil
		}
		changed, left := h.changed, h.times.gap-time.Since(h.lostAt)
		h.mu.Unlock()
		if left <= 0 {
			return nil, nil, errDown
		}
		wait := time.NewTimer(left)
		select {
		case <-changed:
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, nil, ctx.Err()
		}
		wait.Stop()
	}
}

// publish makes a process the one that is called; nil when there is none.
func (h *Host) publish(c *child) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != nil && c == nil {
		h.lostAt = time.Now()
	}
	h.current = c
	close(h.changed)
	h.changed = make(chan struct{})
}

// supervise replaces a process that has ended or hangs, until ctx is done; then it ends the last one.
func (h *Host) supervise(ctx context.Context, c *child) {
	defer close(h.supervised)
	backoff := h.times.firstBackoff
	for c != nil {
		if !h.attend(ctx, c) {
			h.publish(nil)
			c.end(h.times.endGracefully)
			return
		}
		h.publish(nil)
		c.end(0)
		if time.Since(c.since) > h.times.steady {
			backoff = h.times.firstBackoff
		}
		c = h.restart(ctx, &backoff)
	}
}

// attend waits until the process has to be replaced; false when ctx is done first.
func (h *Host) attend(ctx context.Context, c *child) bool {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	hangs := make(chan struct{})
	go func() {
		c.watch(watching, h.times)
		close(hangs)
	}()
	select {
	case <-ctx.Done():
		<-hangs
		return false
	case <-c.process.done:
		h.log.Error("persister ended by itself", "pid", c.process.ID(), "error", c.process.err)
		cancel()
		<-hangs
	case <-hangs:
		if ctx.Err() != nil {
			return false
		}
		h.log.Error("persister does not answer, it is ended", "pid", c.process.ID())
	}
	return true
}

// restart starts processes until one is well; nil when ctx is done first. The first try follows at once, unless the
// process before it has not lived long either.
func (h *Host) restart(ctx context.Context, backoff *time.Duration) *child {
	for {
		if *backoff > h.times.firstBackoff && !sleep(ctx, *backoff+rand.N(*backoff/4+1)) { //nolint:gosec // spreads load, guards nothing
			return nil
		}
		*backoff = min(*backoff*2, h.times.longBackoff)
		c, err := h.startChild(ctx)
		if ctx.Err() != nil {
			if err == nil {
				c.end(0)
			}
			return nil
		}
		if err == nil && !reflect.DeepEqual(c.description, h.client.of) {
			c.end(0)
			err = errors.New("the store describes itself differently than before: restart narthex, so that the flows are checked against it")
		}
		if err != nil {
			h.log.Error("persister could not be restarted", "error", err)
			continue
		}
		h.log.Info("persister restarted", "pid", c.process.ID())
		h.publish(c)
		return c
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
