package directory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
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

// open makes a connection, unless the last tries failed a moment ago, for the slot that the caller has. If it fails, the
// slot is given back. The work goes on when the caller gives up, for the next one: else a server that needs longer than
// its callers' patience would be asked for ever and never be reached.
func (e *endpoint) open(ctx context.Context) (*Conn, error) {
	if err := e.pausing(); err != nil {
		e.freeSlot()
		return nil, err
	}
	type outcome struct {
		c   *Conn
		err error
	}
	made := make(chan outcome)
	go func() {
		c, err := e.make()
		select {
		case made <- outcome{c, err}:
		case <-ctx.Done():
			if err == nil {
				e.putBack(c)
			} else {
				e.freeSlot()
			}
		}
	}()
	select {
	case o := <-made:
		if o.err != nil {
			e.freeSlot()
		}
		return o.c, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
}

// pausing tells why no connection is tried now.
func (e *endpoint) pausing() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return fmt.Errorf("%w: %w", ErrUnreachable, errClosed)
	case time.Now().Before(e.until):
		return fmt.Errorf("%w: tried a moment ago: %v", ErrUnreachable, e.reason) //nolint:errorlint // another call's error
	}
	return nil
}

// make makes a connection and notes how that went. What the server says about the service account is no answer to the
// request: no *Error leaves here.
func (e *endpoint) make() (*Conn, error) {
	began := time.Now()
	c, err := e.dial(e.life, e.to)
	if err != nil {
		e.failed(err, time.Since(began))
		return nil, fmt.Errorf("%w: %v", ErrUnreachable, err) //nolint:errorlint // see above
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failures = 0
	return c, nil
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
