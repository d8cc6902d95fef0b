package claim

import (
	"context"
	"sync"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

// closings go on after their callers have been answered, each for a lease at most.
type closings struct {
	running sync.WaitGroup
	slots   chan struct{}
	life    context.Context // until Close has waited long enough
	end     context.CancelFunc
}

// manyClosings bounds how many go on at once. A directory that is slower than its callers gets no longer and longer queue:
// callers close then what they have committed, before they are answered.
const manyClosings = 64

func newClosings() *closings {
	c := &closings{slots: make(chan struct{}, manyClosings)}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// Wait returns when nothing goes on in the background any more.
func (s *Store) Wait() { s.closings.running.Wait() }

// Close waits for what goes on in the background, and cuts it off when that takes longer than limit: the janitor does the
// rest.
func (s *Store) Close(limit time.Duration) {
	timer := time.AfterFunc(limit, func() { s.closings.end() })
	defer timer.Stop()
	s.Wait()
}

// afterwards goes on without the caller, who has the answer; where too many do already, the caller spends half of the time
// that it has left.
func (s *Store) afterwards(ctx context.Context, what string, do func(context.Context) error) {
	limit := s.Lease
	select {
	case s.closings.slots <- struct{}{}:
		s.closings.running.Go(func() {
			defer func() { <-s.closings.slots }()
			s.closing(ctx, limit, what, do)
		})
	default:
		if end, limited := ctx.Deadline(); limited {
			limit = min(limit, time.Until(end)/2)
		}
		s.closing(ctx, limit, what, do)
	}
}

// closing is cut off by no caller, who may go away once answered.
func (s *Store) closing(ctx context.Context, limit time.Duration, what string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	defer context.AfterFunc(s.closings.life, cancel)()
	if err := do(ctx); err != nil {
		s.Log.WarnContext(ctx, "something committed is not closed yet; the janitor does it", "what", what, "error", err)
	}
}

// at is the store as a copy of the directory has it, to be read only.
func (s *Store) at(from directory.Operations) *Store {
	there := &Store{Config: s.Config, layout: s.layout}
	there.Operations = from
	return there
}
