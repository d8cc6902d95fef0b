package flow_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/narthex/narthex/internal/state"
)

// clock is the state database's clock.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// watchedRows notes the writes, and can fail them.
type watchedRows struct {
	*state.DB
	mu     sync.Mutex
	writes []string
	fail   func(write string) error
}

func (r *watchedRows) note(write string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, write)
	if r.fail != nil {
		return r.fail(write)
	}
	return nil
}

// taken returns the writes since the last call.
func (r *watchedRows) taken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.Join(r.writes, " ")
	r.writes = nil
	return s
}

func (r *watchedRows) Insert(ctx context.Context, row state.Row, m ...state.Message) (state.Row, error) {
	if err := r.note("insert"); err != nil {
		return state.Row{}, err
	}
	return r.DB.Insert(ctx, row, m...)
}

func (r *watchedRows) Load(ctx context.Context, locator []byte) (state.Row, error) {
	if err := r.note("load"); err != nil {
		return state.Row{}, err
	}
	return r.DB.Load(ctx, locator)
}

func (r *watchedRows) Commit(ctx context.Context, row state.Row, m ...state.Message) (state.Row, error) {
	if err := r.note(fmt.Sprintf("commit(%s,%d)", row.Phase, len(m))); err != nil {
		return state.Row{}, err
	}
	return r.DB.Commit(ctx, row, m...)
}

func (r *watchedRows) CountAttempt(ctx context.Context, locator []byte, step string, judge state.Judge) (state.Row, error) {
	if err := r.note("count"); err != nil {
		return state.Row{}, err
	}
	return r.DB.CountAttempt(ctx, locator, step, judge)
}
