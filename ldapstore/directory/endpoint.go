package directory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// How long an endpoint is left alone after it could not be reached, or refused the service account: wrong binds lock an
// account sooner or later.
const (
	firstPause         = 50 * time.Millisecond
	longestPause       = time.Second
	longestHangPause   = 5 * time.Second // for a server that takes its time to fail
	firstRefusedPause  = time.Second
	longestRefusePause = 30 * time.Second
)

var errClosed = errors.New("the pool is closed")

// endpoint is a bounded number of connections to one server, made when they are needed.
type endpoint struct {
	settings Settings
	to       target
	dial     func(context.Context, target) (*Conn, error)
	slots    chan struct{} // one for each connection in use

	mu       sync.Mutex
	idle     []idleConn // the last used last
	sweep    *time.Timer
	closed   bool
	failures int       // in a row
	until    time.Time // no connection is tried before
	reason   error     // why
}

type idleConn struct {
	*Conn
	since time.Time
}

func newEndpoint(settings Settings, to target, dial func(context.Context, target) (*Conn, error)) *endpoint {
	return &endpoint{settings: settings, to: to, dial: dial, slots: make(chan struct{}, settings.Connections)}
}

// run sends a request. A connection that had been lying idle may turn out to be dead: then the request goes out again on
// a fresh one, if it certainly was not sent or may be repeated.
func (e *endpoint) run(ctx context.Context, operation string, repeatable bool, send func(*ldap.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, e.settings.RequestTimeout)
	defer cancel()
	return e.with(ctx, operation, func(c *Conn, reused bool) (again bool, err error) {
		err = c.exchange(ctx, operation, send)
		again = errors.Is(err, ErrUnreachable) || repeatable && errors.Is(err, ErrUnanswered)
		return reused && again && ended(ctx) == nil, err
	})
}

// with lends a connection to use, and a fresh one a second time if use says so.
func (e *endpoint) with(ctx context.Context, operation string, use func(c *Conn, reused bool) (again bool, err error)) error {
	if err := e.takeSlot(ctx); err != nil {
		return unreachable(operation, err)
	}
	defer func() { <-e.slots }()
	c := e.takeIdle()
	if c != nil {
		again, err := use(c, true)
		e.putBack(c)
		if !again {
			return err
		}
		e.dropIdle() // they are as old as that one
	}
	c, err := e.open(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	defer e.putBack(c)
	_, err = use(c, false)
	return err
}

// takeSlot waits until a connection may be used.
func (e *endpoint) takeSlot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.settings.RequestTimeout)
	defer cancel()
	select {
	case e.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeIdle returns a connection that seems to be alive, or nil.
func (e *endpoint) takeIdle() *Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.idle) > 0 {
		last := e.idle[len(e.idle)-1]
		e.idle = e.idle[:len(e.idle)-1]
		if last.usable() && time.Since(last.since) < e.settings.IdleTime {
			return last.Conn
		}
		go last.Close() // saying farewell may take a while
	}
	return nil
}

// open makes a connection, unless the last tries failed a moment ago. What the server says about the service account is no
// answer to the request: no *Error leaves here.
func (e *endpoint) open(ctx context.Context) (*Conn, error) {
	e.mu.Lock()
	closed, pause, reason := e.closed, time.Until(e.until), e.reason
	e.mu.Unlock()
	switch {
	case closed:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, errClosed)
	case pause > 0:
		return nil, fmt.Errorf("%w: tried a moment ago: %v", ErrUnreachable, reason) //nolint:errorlint // another call's error
	}
	began := time.Now()
	c, err := e.dial(ctx, e.to)
	if err == nil {
		e.mu.Lock()
		e.failures = 0
		e.mu.Unlock()
		return c, nil
	}
	took := time.Since(began)
	ended := ended(ctx)
	if ended == nil || took > e.settings.ConnectTimeout/2 { // a caller in a hurry proves nothing
		e.failed(err, took)
	}
	if ended != nil {
		return nil, fmt.Errorf("%w: %w: %v", ErrUnreachable, ended, err) //nolint:errorlint // see above
	}
	return nil, fmt.Errorf("%w: %v", ErrUnreachable, err) //nolint:errorlint // see above
}

// ended is ctx's error. The network notices a deadline by a clock of its own, which may be a little faster.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// failed notes a failure and how long to wait: as long as it took at least, so that calls do not queue up behind a server
// that hangs. Calls that fail together count once.
func (e *endpoint) failed(err error, took time.Duration) {
	first, longest := firstPause, longestPause
	if Refused(err) {
		first, longest = firstRefusedPause, longestRefusePause
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.until) {
		return
	}
	pause := max(min(first<<min(e.failures, 10), longest), min(took, longestHangPause))
	pause -= rand.N(pause / 4) //nolint:gosec // only spreads replicas out
	e.failures++
	e.until, e.reason = time.Now().Add(pause), err
}

// putBack keeps a healthy connection for the next call.
func (e *endpoint) putBack(c *Conn) {
	e.mu.Lock()
	keep := c.usable() && !e.closed
	if keep {
		e.idle = append(e.idle, idleConn{c, time.Now()})
		if e.sweep == nil {
			e.sweep = time.AfterFunc(e.settings.IdleTime, e.dropOld)
		}
	}
	e.mu.Unlock()
	if !keep {
		c.Close()
	}
}

// dropOld closes what has been idle too long, and comes again while anything is left.
func (e *endpoint) dropOld() {
	e.mu.Lock()
	var old, kept []idleConn
	for _, c := range e.idle {
		if c.usable() && time.Since(c.since) < e.settings.IdleTime {
			kept = append(kept, c)
		} else {
			old = append(old, c)
		}
	}
	e.idle, e.sweep = kept, nil
	if len(kept) > 0 && !e.closed {
		e.sweep = time.AfterFunc(e.settings.IdleTime, e.dropOld)
	}
	e.mu.Unlock()
	for _, c := range old {
		c.Close()
	}
}

func (e *endpoint) dropIdle() {
	e.mu.Lock()
	old := e.idle
	e.idle = nil
	e.mu.Unlock()
	for _, c := range old {
		c.Close()
	}
}

// close ends the idle connections; those in use end with their requests.
func (e *endpoint) close() {
	e.mu.Lock()
	e.closed = true
	if e.sweep != nil {
		e.sweep.Stop()
	}
	e.mu.Unlock()
	e.dropIdle()
}
