package plugintest

import (
	"context"
	"sync/atomic"
	"time"
)

// heldContext holds a store up in the middle of a call: stores look at their context in the places where they could stop,
// and the look with the given number does not return before the rule lets it.
type heldContext struct {
	context.Context
	at      int64
	looks   atomic.Int64
	reached chan struct{}
	release chan struct{}
}

func holdAt(ctx context.Context, look int) *heldContext {
	return &heldContext{Context: ctx, at: int64(look), reached: make(chan struct{}), release: make(chan struct{})}
}

func (c *heldContext) look() {
	if c.looks.Add(1) == c.at {
		close(c.reached)
		<-c.release
	}
}

func (c *heldContext) Done() <-chan struct{} {
	c.look()
	return c.Context.Done()
}

func (c *heldContext) Err() error {
	c.look()
	return c.Context.Err()
}

func (c *heldContext) Deadline() (time.Time, bool) {
	c.look()
	return c.Context.Deadline()
}

func (c *heldContext) Value(key any) any {
	c.look()
	return c.Context.Value(key)
}

// looksToTry bounds how many places of a call are tried, and heldFor how long a call is held up at each: another call may
// wait for the one that is held up, and then both only go on when that ends.
const (
	looksToTry = 12
	heldFor    = 150 * time.Millisecond
)

// within waits for a channel, but not for ever.
func within[T any](c <-chan T, d time.Duration) (value T, ok bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case value = <-c:
		return value, true
	case <-timer.C:
		return value, false
	}
}
