package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// endpoint is a bounded number of connections to one server, made when they are needed.
type endpoint struct {
	settings Settings
	to       target
	dial     func(context.Context, target) (*Conn, error)
	slots    chan struct{}   // one for each connection in use, or being made
	life     context.Context // until close
	shut     context.CancelFunc

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
	e := &endpoint{settings: settings, to: to, dial: dial, slots: make(chan struct{}, settings.Connections)}
	e.life, e.shut = context.WithCancel(context.Background())
	return e
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
	if c := e.takeIdle(); c != nil {
		again, err := e.lend(c, use)
		if !again {
			return err
		}
		c.Close()
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

// lend lends a connection that had been idle, and takes it back unless the slot is needed for another try.
func (e *endpoint) lend(c *Conn, use func(c *Conn, reused bool) (again bool, err error)) (again bool, err error) {
	defer func() {
		if !again {
			e.putBack(c)
		}
	}()
	return use(c, true)
}

// takeSlot waits until a connection may be used. Whoever has the slot gives it back with putBack, or with freeSlot where no
// connection came of it.
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

func (e *endpoint) freeSlot() { <-e.slots }

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

// putBack keeps a healthy connection for the next call, and gives the slot back.
func (e *endpoint) putBack(c *Conn) {
	defer e.freeSlot()
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
	e.shut()
	e.mu.Lock()
	e.closed = true
	if e.sweep != nil {
		e.sweep.Stop()
	}
	e.mu.Unlock()
	e.dropIdle()
}
