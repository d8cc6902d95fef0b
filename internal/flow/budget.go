package flow

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
)

// purposeBudget is that of the keys of budgets. They hold for the current key of the secret: when it is replaced, all
// budgets begin anew.
const purposeBudget = "budget"

// budgets says what a write takes from which budget. It never looks at whether somebody has an account.
type budgets struct {
	limits Limits
	keys   *seal.Keyring
}

// take lists what count of a budget is for one subject, in each of its windows. share makes it larger.
func (b budgets) take(name, subject string, share, count int) ([]state.Take, error) {
	var takes []state.Take
	for _, rate := range b.limits[name] {
		key, err := b.keys.MAC(purposeBudget, name, rate.Window.String(), subject)
		if err != nil {
			return nil, fmt.Errorf("name a budget: %w", err)
		}
		takes = append(takes, state.Take{Key: key, Limit: rate.Count * share, Window: rate.Window, Count: count})
	}
	return takes, nil
}

// perClient takes from a budget of the client's networks.
func (b budgets) perClient(name string, client netip.Addr, count int) (all []state.Take, _ error) {
	for _, n := range Networks(client) {
		takes, err := b.take(name, n.Name, n.Share, count)
		if err != nil {
			return nil, err
		}
		all = append(all, takes...)
	}
	return all, nil
}

// start begins a registration for a client: one more is started, and there must be room to finish one.
func (b budgets) start(ctx context.Context, row *state.Row) error {
	client := ClientFrom(ctx)
	if !client.IsValid() {
		return nil
	}
	started, err := b.perClient(LimitStarted, client, 1)
	if err != nil {
		return err
	}
	room, err := b.perClient(LimitFinished, client, 0)
	if err != nil {
		return err
	}
	key, err := b.keys.MAC(purposeBudget, LimitOpen, Networks(client)[0].Name)
	if err != nil {
		return fmt.Errorf("name a client: %w", err)
	}
	row.Takes = append(started, room...)
	row.Client, row.OpenLimit = hex.EncodeToString(key), b.limits.Number(LimitOpen)
	return nil
}

// message takes what one message costs: from its address's budget, silently in a stealth flow, and from the client's. An
// address's budget shows how often somebody, its owner perhaps, has used it: in a stealth flow that must not be seen, so
// the person is shown what is always shown, and nothing is sent. A client's budget shows only what it did itself.
func (b budgets) message(ctx context.Context, m Mail, stealth bool) ([]state.Take, error) {
	all, err := b.take(LimitMessages, m.LimitKey, 1, 1)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Silent = stealth
	}
	client := ClientFrom(ctx)
	if !client.IsValid() {
		return all, nil
	}
	levels := map[string]int{LimitMessagesClient: client.BitLen()}
	if client.Is6() {
		levels[LimitMessagesNetwork], levels[LimitMessagesSite] = 64, 48
	}
	for name, bits := range levels {
		takes, err := b.take(name, prefix(client, bits), 1, 1)
		if err != nil {
			return nil, err
		}
		all = append(all, takes...)
	}
	return all, nil
}

// guess takes what one guess costs.
func (b budgets) guess(ctx context.Context, address string) ([]state.Take, error) {
	all, err := b.take(LimitGuesses, address, 1, 1)
	if err != nil {
		return nil, err
	}
	takes, err := b.perClient(LimitGuessesClient, ClientFrom(ctx), 1)
	return append(all, takes...), err
}

// finish takes what a finished registration costs, and gives back the guesses for the addresses that it has proved:
// their owner made them.
func (b budgets) finish(ctx context.Context, guesses map[string]int) ([]state.Take, error) {
	all, err := b.perClient(LimitFinished, ClientFrom(ctx), 1)
	if err != nil {
		return nil, err
	}
	for address, n := range guesses {
		back, err := b.take(LimitGuesses, address, 1, -n)
		if err != nil {
			return nil, err
		}
		all = append(all, back...)
	}
	return all, nil
}

// spent is the problem for a budget that has nothing left.
func spent(e *state.SpentError) error {
	return &Problem{Code: CodeRateLimited, RetryAfter: max(e.RetryAfter, time.Second), Cause: e}
}
