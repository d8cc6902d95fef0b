package login

import (
	"bytes"
	"context"
	"time"

	"github.com/narthex/narthex/internal/state"
)

// seen are the counters of a try as they are in the database, to be changed there.
type seen struct {
	clients []window
	rows    []rows
	tallies []state.Tally
}

// change reads the client's counters and those of some rows, and stores what f makes of them.
func (t *try) change(ctx context.Context, of []rows, f func(now time.Time, s *seen) error) error {
	var keys [][]byte
	for _, w := range t.clients {
		keys = append(keys, w.key)
	}
	for _, r := range of {
		keys = append(keys, r.common)
		if r.known != nil {
			keys = append(keys, r.known, r.own)
		}
	}
	return t.counters.Tally(ctx, keys, func(now time.Time, tallies []state.Tally) error {
		return f(now, &seen{t.clients, of, tallies})
	})
}

// find returns the counter of a key; nil for none.
func (s *seen) find(key []byte) *state.Tally {
	for i := range s.tallies {
		if key != nil && bytes.Equal(s.tallies[i].Key, key) {
			return &s.tallies[i]
		}
	}
	return nil
}

// row returns the failures that count for the client: those of its network, where that is known, else the common ones.
func (s *seen) row(i int) *state.Tally {
	if known := s.find(s.rows[i].known); known != nil && known.Taken > 0 {
		return s.find(s.rows[i].own)
	}
	return s.find(s.rows[i].common)
}

// spent is how long the client's networks have to wait.
func (s *seen) spent(now time.Time) (left time.Duration) {
	for _, w := range s.clients {
		if c := s.find(w.key); c.Taken >= w.limit {
			left = max(left, c.EndsAt.Sub(now))
		}
	}
	return left
}

// countClients adds to the failures of the client's networks.
func (s *seen) countClients(now time.Time, n int) {
	for _, w := range s.clients {
		c := s.find(w.key)
		if c.EndsAt.IsZero() {
			c.EndsAt = now.Add(w.length)
		}
		c.Taken = max(c.Taken+n, 0)
	}
}
