package login

import (
	"context"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// The delays. A row of failures ends with a success, or when memory has passed since the last of them.
const (
	firstDelay   = time.Second
	longestDelay = 15 * time.Minute
	memory       = 24 * time.Hour
	// knownFor is how long a network stays known to an account that was logged in to from there.
	knownFor = 30 * 24 * time.Hour
)

// Counters keeps counters in the state database.
type Counters interface {
	Tally(ctx context.Context, keys [][]byte, change func(now time.Time, t []state.Tally) error) error
}

// throttle counts failed logins: over all names for each network of the client; for the name as typed; and for the
// account that has it, so that its other names give no further tries. A name that nobody has is counted like one that
// somebody has.
//
// Names and accounts have one row of failures for everybody, and one for each network from which they were logged in to.
// So whoever fails on purpose, elsewhere, keeps nobody out at home.
type throttle struct {
	counters Counters
	keys     *seal.Keyring
	limits   flow.Limits
}

// waitError refuses a try for a while.
type waitError struct{ left time.Duration }

func (e *waitError) Error() string { return "too many logins have failed" }

// try is one login under way.
type try struct {
	throttle
	typed, network string
	// clients are the budgets of the client's networks, name the rows of the name as typed.
	clients []window
	name    rows
}

// window is a budget over some time.
type window struct {
	key    []byte
	limit  int
	length time.Duration
}

// rows are the keys of failures of one name or account. Without a network there is only the common one.
type rows struct{ common, known, own []byte }

// begin counts a try, before anybody compares, or refuses it with a *waitError.
func (t throttle) begin(ctx context.Context, typed string) (*try, error) {
	b := &try{throttle: t, typed: typed}
	networks := flow.Networks(flow.ClientFrom(ctx))
	if len(networks) > 0 {
		b.network = networks[0].Name
	}
	for _, n := range networks {
		for _, rate := range t.limits[flow.LimitLoginClient] {
			key, err := t.key("client", n.Name, rate.Window.String())
			if err != nil {
				return nil, err
			}
			b.clients = append(b.clients, window{key, rate.Count * n.Share, rate.Window})
		}
	}
	var err error
	if b.name, err = t.rows(typed, b.network); err != nil {
		return nil, err
	}
	return b, b.change(ctx, []rows{b.name}, func(now time.Time, s *seen) error {
		if left := max(s.spent(now), t.blocked(now, s.row(0))); left > 0 {
			return &waitError{left}
		}
		s.countClients(now, 1)
		t.count(now, s.row(0))
		return nil
	})
}

// fail counts the failure for the account that has the name, "" where nobody has it. It is a *waitError when that has to
// wait: then nobody may learn whether the password was right.
func (t *try) fail(ctx context.Context, owner plugin.ID) error {
	account, err := t.account(owner)
	if err != nil {
		return err
	}
	return t.change(ctx, []rows{account}, func(now time.Time, s *seen) error {
		row := s.row(0)
		if left := t.blocked(now, row); left > 0 {
			return &waitError{left}
		}
		t.count(now, row)
		return nil
	})
}

// succeed forgets the failures of name and account and makes the network known to both. It is a *waitError when the
// account has to wait, as for a wrong password.
func (t *try) succeed(ctx context.Context, owner plugin.ID) error {
	account, err := t.account(owner)
	if err != nil {
		return err
	}
	return t.change(ctx, []rows{t.name, account}, func(now time.Time, s *seen) error {
		if left := t.blocked(now, s.row(1)); left > 0 {
			return &waitError{left}
		}
		s.countClients(now, -1)
		for i := range 2 {
			row := s.row(i)
			row.Taken, row.EndsAt = 0, time.Time{}
			if known := s.find(s.rows[i].known); known != nil {
				known.Taken, known.EndsAt = 1, now.Add(knownFor)
			}
		}
		return nil
	})
}

// takeBack forgets the try.
func (t *try) takeBack(ctx context.Context) error {
	return t.change(ctx, []rows{t.name}, func(now time.Time, s *seen) error {
		s.countClients(now, -1)
		if row := s.row(0); row.Taken > 0 {
			row.Taken--
		}
		return nil
	})
}

// blocked is how long a row of failures has to wait.
func (t throttle) blocked(now time.Time, row *state.Tally) time.Duration {
	free, stop := t.limits.Number(flow.LimitLoginFree), t.limits.Number(flow.LimitLoginStop)
	switch {
	case stop > 0 && row.Taken >= stop:
		return row.EndsAt.Sub(now)
	case free == 0 || row.Taken < free:
		return 0
	}
	delay := longestDelay
	if doubled := row.Taken - free; doubled < 10 {
		delay = min(delay, firstDelay<<doubled)
	}
	return row.EndsAt.Add(-memory).Add(delay).Sub(now)
}

func (t throttle) count(now time.Time, row *state.Tally) {
	row.Taken, row.EndsAt = row.Taken+1, now.Add(memory)
}

// account returns the rows of an account. Those of nobody's name are its own.
func (t *try) account(owner plugin.ID) (rows, error) {
	if owner == "" {
		return t.rows("nobody "+t.typed, t.network)
	}
	return t.rows("account "+string(owner), t.network)
}

func (t throttle) rows(subject, network string) (r rows, err error) {
	if r.common, err = t.key("failures", subject); err != nil || network == "" {
		return r, err
	}
	if r.known, err = t.key("known", subject, network); err != nil {
		return r, err
	}
	r.own, err = t.key("failures", subject, network)
	return r, err
}

func (t throttle) key(parts ...string) ([]byte, error) {
	key, err := t.keys.MAC("login", parts...)
	if err != nil {
		return nil, fmt.Errorf("name a counter: %w", err)
	}
	return key, nil
}
