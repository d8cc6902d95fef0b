package race

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestDeathAtEveryRequest: what a process leaves behind that dies at its first request, its second, and so on to the last,
// is finished or undone by a janitor, and the same again then does what was meant.
func TestDeathAtEveryRequest(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			a.settings.UsernameHold = 24 * time.Hour
			first, step := int64(1), int64(1)
			if kind.Kind != testenv.OpenLDAP { // every third: they are slow, and the order of requests is the same
				first, step = int64(1+len(kind.Kind)%3), 3
			}
			for _, d := range dyings {
				t.Run(d.name, func(t *testing.T) {
					for n := first; ; n += step {
						if done := a.dieAt(t, d, n); done {
							if n < 5 {
								t.Errorf("only %d requests", n-1)
							}
							break
						}
					}
				})
			}
		})
	}
}

// dying is something that a process may die of. want are the aliases afterwards, nil for no account.
type dying struct {
	name string
	do   func(s *claim.Store, id plugin.ID, names []token, attempt plugin.Attempt) error
	want func(names []token) []token
}

func alias(k token) *plugin.Key {
	key := k.key(plugin.KindEmail)
	return &key
}

func changing(add, drop func(names []token) *plugin.Key) func(*claim.Store, plugin.ID, []token, plugin.Attempt) error {
	return func(s *claim.Store, id plugin.ID, names []token, attempt plugin.Attempt) error {
		c := plugin.IdentifierChange{Attempt: attempt, NotAfter: time.Now().Add(time.Minute), Add: add(names), Drop: drop(names), Hold: time.Hour}
		return s.Change(context.Background(), id, c)
	}
}

func nothing([]token) *plugin.Key      { return nil }
func second(names []token) *plugin.Key { return alias(names[1]) }
func third(names []token) *plugin.Key  { return alias(names[2]) }

var dyings = []dying{
	{"exchange", changing(third, second), func(n []token) []token { return n[2:3] }},
	{"drop", changing(nothing, second), func([]token) []token { return []token{} }},
	{"add", changing(third, nothing), func(n []token) []token { return n[1:3] }},
	{"delete", func(s *claim.Store, id plugin.ID, _ []token, _ plugin.Attempt) error {
		return s.Delete(context.Background(), id)
	}, func([]token) []token { return nil }},
}

// until returns operations of a process that dies before its nth request, and whether it has.
func (a *arena) until(n int64) (directory.Operations, func() bool) {
	var count atomic.Int64
	hook := func(context.Context, directory.Operation) error {
		if count.Add(1) >= n {
			return fmt.Errorf("the process is dead: %w", directory.ErrUnreachable)
		}
		return nil
	}
	return directory.WithHook(a.service, hook), func() bool { return count.Load() >= n }
}

// dieAt has a process die at its nth request; done tells that it came to its end before.
func (a *arena) dieAt(t *testing.T, d dying, n int64) (done bool) {
	names := tokens(3)
	of := newAttempt(names[0], names[1], true)
	p, s := a.spawn(luck{lease: a.lease})
	made, err := a.create(t.Context(), p, s, of)
	if err != nil {
		t.Fatal(err)
	}
	s.Wait()
	operations, died := a.until(n)
	store, attempt := a.over(operations), plugin.Attempt(randomHex(16))
	err = d.do(store, made.ID, names, attempt)
	store.Wait()
	if !died() && err != nil || died() && err != nil && !errors.Is(err, plugin.ErrUnavailable) && !errors.Is(err, plugin.ErrUnknownOutcome) {
		if a.server.Kind == directory.ActiveDirectory && d.name == "add" && errors.Is(err, plugin.ErrInvalid) {
			return !died() // its mail has one value
		}
		t.Fatalf("at request %d: %v", n, err)
	}
	v := &violations{T: t, kinds: map[string]int{}, round: int(n)}
	a.settle(v)
	s = a.lucky()
	onlyOne := a.server.Kind == directory.ActiveDirectory && d.name == "add" // its mail has one value
	if err := d.do(s, made.ID, names, attempt); err != nil && (!onlyOne || !errors.Is(err, plugin.ErrInvalid)) {
		t.Errorf("after a death at request %d: %v", n, err)
	}
	s.Wait()
	a.checkEnd(t, v, d, names, of, made.ID)
	return !died()
}

func (a *arena) checkEnd(t *testing.T, v *violations, d dying, names []token, of *attempt, id plugin.ID) {
	found := a.look(v, names)
	e, there := found.accounts[string(id)]
	want := d.want(names)
	if a.server.Kind == directory.ActiveDirectory && d.name == "add" {
		want = names[1:2]
	}
	if there != (want != nil) {
		v.add("the account", "there: %v", there)
	}
	if there {
		a.checkAccount(v, found, string(id), e, of, nil)
		if got := e.Values("mail"); len(got) != len(want) {
			v.add("addresses", "%d instead of %d", len(got), len(want))
		}
		for _, k := range want {
			if !found.isHeldBy(k, string(id)) {
				v.add("an account without a claim", "%s", found.claims[k])
			}
		}
	}
	if len(v.kinds) > 0 {
		t.Errorf("after a death at request %d: %v", v.round, v)
	}
}
