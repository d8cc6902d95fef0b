package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// measureAfter is how old a measurement of the database's clock may be. Between two, this machine's monotonic clock
	// counts on, which drifts by some parts in a million and does not jump.
	measureAfter = 30 * time.Second
	// askAgain is how long a database that did not answer is left alone.
	askAgain = 5 * time.Second
)

// databaseClock is the database server's clock as all persisters see it. Looking at it costs nobody a statement, and needs
// no connection inside a transaction.
type databaseClock struct {
	pool   *sql.DB
	last   atomic.Pointer[measurement]
	asking atomic.Bool
}

// measurement is what the database's clock showed (there) at a moment of this machine's (here).
type measurement struct{ here, there time.Time }

// newDatabaseClock measures for the first time.
func newDatabaseClock(ctx context.Context, pool *sql.DB) (*databaseClock, error) {
	c := &databaseClock{pool: pool}
	if err := c.measure(ctx); err != nil {
		return nil, fmt.Errorf("look at the database's clock: %w", err)
	}
	return c, nil
}

// now is the time by the database's clock. A measurement that is old is renewed meanwhile; where that fails, it stays in
// force.
func (c *databaseClock) now() time.Time {
	m := c.last.Load()
	since := time.Since(m.here)
	if since > measureAfter && c.asking.CompareAndSwap(false, true) {
		go c.renew()
	}
	return m.there.Add(since)
}

func (c *databaseClock) renew() {
	ctx, cancel := context.WithTimeout(context.Background(), askAgain)
	defer cancel()
	if err := c.measure(ctx); err != nil {
		time.AfterFunc(askAgain, func() { c.asking.Store(false) })
		return
	}
	c.asking.Store(false)
}

// measure asks the database and takes the middle of asking and being answered as the moment of its answer.
func (c *databaseClock) measure(ctx context.Context) error {
	begin := time.Now()
	var micros int64
	if err := c.pool.QueryRowContext(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).Scan(&micros); err != nil {
		return err
	}
	c.last.Store(&measurement{here: begin.Add(time.Since(begin) / 2), there: time.UnixMicro(micros).UTC()})
	return nil
}
