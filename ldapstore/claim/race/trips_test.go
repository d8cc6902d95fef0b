package race

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestRoundTrips counts the requests that follow one another until the caller is answered.
func TestRoundTrips(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			a.lease = 15 * time.Second
			names := tokens(4)
			of := newAttempt(names[0], names[1], false)
			far := directory.WithHook(a.service, func(context.Context, directory.Operation) error { time.Sleep(10 * time.Millisecond); return nil })
			requests := &spans{}
			slow := &process{Operations: far, tally: a.tally, took: requests.add}
			s := a.over(slow)
			count := func(what string, limit int, do func() error) {
				requests.forget()
				if err := do(); err != nil {
					t.Fatal(what, err)
				}
				trips := requests.inARow()
				t.Logf("%s: %d", what, trips)
				if trips > limit {
					t.Errorf("%s takes %d round trips one after the other, more than %d", what, trips, limit)
				}
				s.Wait()
			}
			var id plugin.ID
			count("create", 8, func() error {
				made, err := a.create(t.Context(), slow, s, of)
				id = made.ID
				return err
			})
			change := func(add, drop *plugin.Key) func() error {
				return func() error {
					return s.Change(t.Context(), id, plugin.IdentifierChange{Attempt: newAttempt("", "", false).id, NotAfter: time.Now().Add(time.Minute), Add: add, Drop: drop, Hold: time.Hour})
				}
			}
			count("exchange", 10, change(alias(names[2]), alias(names[1])))
			count("exchange for a held one", 10, change(alias(names[1]), alias(names[2])))
			count("drop", 10, change(nil, alias(names[1])))
			count("add", 10, change(alias(names[3]), nil))
			count("look-up", 2, func() error {
				_, err := s.Lookup(t.Context(), *alias(names[3]))
				return err
			})
			count("delete", 6, func() error { return s.Delete(t.Context(), id) })
		})
	}
}

// spans are the times that requests took.
type spans struct {
	mu  sync.Mutex
	all [][2]time.Time
}

func (s *spans) add(start, end time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, [2]time.Time{start, end})
}

func (s *spans) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

// inARow is the largest number of requests of which each began after the one before had ended.
func (s *spans) inARow() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.all, func(a, b [2]time.Time) int { return a[1].Compare(b[1]) })
	count, last := 0, time.Time{}
	for _, span := range s.all {
		if !span[0].Before(last) {
			count, last = count+1, span[1]
		}
	}
	return count
}
