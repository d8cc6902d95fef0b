package state

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

// measureAfter is how old a measurement of the database's clock may be. Between two, this machine's monotonic clock
// counts on, which drifts by some parts in a million and does not jump.
const measureAfter = 30 * time.Second

// askAgain is how long a database that did not answer is left alone.
const askAgain = 5 * time.Second

// databaseClock is the database server's clock as all replicas see it, without a statement for every look.
type databaseClock struct {
	pool *sql.DB

	mu       sync.Mutex
	tried    time.Time // when it was last asked
	measured time.Time // when, by this machine
	there    time.Time // what the database's clock showed then
}

// now is the time by the database's clock. Its error is that of the first measurement; a later one that fails leaves
// the last in force.
func (c *databaseClock) now(ctx context.Context) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.measured.IsZero() || time.Since(c.measured) > measureAfter && time.Since(c.tried) > askAgain {
		if err := c.measure(ctx); err != nil && c.measured.IsZero() {
			return time.Time{}, fmt.Errorf("look at the database's clock: %w", err)
		}
	}
	return c.there.Add(time.Since(c.measured)), nil
}

// measure asks the database and takes the middle of asking and being answered as the moment of its answer.
func (c *databaseClock) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	begin := time.Now()
	c.tried = begin
	var micros int64
	if err := c.pool.QueryRowContext(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).Scan(&micros); err != nil {
		return err
	}
	c.measured = begin.Add(time.Since(begin) / 2)
	c.there = time.UnixMicro(micros).UTC()
	return nil
}
