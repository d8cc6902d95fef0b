package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Conn is one connection, with Operations of its own. It carries one request at a time (not for several goroutines): an
// answer that belongs to no request is a fault. It does not heal: after ErrUnanswered or ErrUnreachable it is of no use.
type Conn struct {
	requests
	ldap     *ldap.Conn
	wire     *wire
	settings Settings
	server   cached[Server]
	broken   bool
}

var _ Operations = (*Conn)(nil)

// Server tells what the server is and can.
func (c *Conn) Server(ctx context.Context) (Server, error) {
	return c.server.get(ctx, func(ctx context.Context) (Server, error) { return readServer(ctx, c.requests) })
}

func (c *Conn) run(ctx context.Context, operation string, _ bool, send func(*ldap.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.settings.RequestTimeout)
	defer cancel()
	return c.exchange(ctx, operation, send)
}

// Close ends the connection.
func (c *Conn) Close() {
	if c.broken {
		c.wire.abort()
	}
	_ = c.ldap.Close()
}

// usable tells whether the connection seems to be alive.
func (c *Conn) usable() bool { return !c.broken && !c.ldap.IsClosing() }

// exchange sends one request and waits for its answer until ctx ends. Without an answer the connection is broken: whatever
// comes late is never read.
func (c *Conn) exchange(ctx context.Context, operation string, send func(*ldap.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return unreachable(operation, err)
	}
	c.wire.begin()
	stop := context.AfterFunc(ctx, c.wire.abort)
	err := send(c.ldap)
	if !stop() {
		c.broken = true
	}
	if err == nil {
		c.wire.end()
		return nil
	}
	if refusal := refusalOf(operation, err); refusal != nil {
		c.wire.end()
		return refusal
	}
	c.broken = true
	if c.wire.settle() {
		return fmt.Errorf("%s: %w: %v", operation, ErrUnanswered, c.cause(err)) //nolint:errorlint // a context error would say that nothing was sent
	}
	if ended := ended(ctx); ended != nil {
		return unreachable(operation, ended)
	}
	return unreachable(operation, c.cause(err))
}

// cause prefers what the wire saw to what the library made of it.
func (c *Conn) cause(err error) error {
	if fault := c.wire.fault.Load(); fault != nil {
		return *fault
	}
	return err
}

func unreachable(operation string, cause error) error {
	return fmt.Errorf("%s: %w: %w", operation, ErrUnreachable, cause)
}

// ended is ctx's error. The network notices a deadline by a clock of its own, which may be a little faster.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}
