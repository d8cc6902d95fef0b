package race

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestOneWinner: 64 people want one address at once, through three processes. One gets it, and the others are told that it
// is taken, or that they should try again.
func TestOneWinner(t *testing.T) {
	short := map[string]int{testenv.OpenLDAP: 10, testenv.DS389: 2, testenv.ActiveDirectory: 1}
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			a.lease = plugin.CreateLifetime
			stores := []*claim.Store{a.lucky(), a.lucky(), a.lucky()}
			for range rounds(short[kind.Kind]) {
				a.oneWins(t, stores)
			}
			t.Logf("%d rounds: %s", rounds(short[kind.Kind]), a.tally.list("create "))
		})
	}
}

func (a *arena) oneWins(t *testing.T, stores []*claim.Store) {
	names := tokens(65)
	var mu sync.Mutex
	var winners []plugin.ID
	var all sync.WaitGroup
	for i := range 64 {
		of, store := newAttempt(names[i+1], names[0], false), stores[i%len(stores)]
		all.Go(func() {
			p := &process{Operations: a.service, tally: a.tally}
			made, err := a.create(context.Background(), p, store, of)
			outcome := a.outcome(p, err)
			a.tally.add("create " + outcome)
			var field *plugin.FieldError
			switch {
			case err == nil:
				mu.Lock()
				winners = append(winners, made.ID)
				mu.Unlock()
			case errors.As(err, &field) && field.Field == "mail" && outcome == "exists", outcome == "unavailable":
			default:
				t.Errorf("a loser is told %v", err)
			}
		})
	}
	all.Wait()
	for _, s := range stores {
		s.Wait()
	}
	v := &violations{T: t, kinds: map[string]int{}}
	found := a.look(v, names)
	if len(winners) != 1 || len(found.accounts) != 1 || len(v.kinds) > 0 {
		t.Errorf("%d winners, %d accounts, violations: %v", len(winners), len(found.accounts), v)
	}
}
