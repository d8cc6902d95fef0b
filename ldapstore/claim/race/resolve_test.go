package race

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestResolve: whatever a creation was doing when it died or stalled, Resolve finds the account that it committed, or makes
// sure that it never will.
func TestResolve(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			a.lease = plugin.CreateLifetime // no deadline passes here
			found := 0
			for n := int64(1); ; n++ {
				made, done := a.resolveDead(t, n)
				if made {
					found++
				}
				if done {
					break
				}
			}
			if found == 0 {
				t.Error("no account was found")
			}
			t.Run("an execution that holds everything is made powerless", a.resolveStalled)
		})
	}
}

// resolveDead has a creation die at its nth request; done tells that it came to its end before.
func (a *arena) resolveDead(t *testing.T, n int64) (made, done bool) {
	names := tokens(2)
	of := newAttempt(names[0], names[1], true)
	operations, died := a.until(n)
	p := &process{Operations: operations, tally: a.tally}
	s := a.over(p)
	ack, err := a.create(t.Context(), p, s, of)
	s.Wait()
	switch {
	case err != nil && !errors.Is(err, plugin.ErrUnavailable) && !errors.Is(err, plugin.ErrUnknownOutcome):
		t.Errorf("at request %d: %v", n, err)
	case err == nil && ack.ID == "":
		t.Errorf("at request %d: no account", n)
	}
	store := a.lucky()
	id, resolved := store.Resolve(t.Context(), of.id, of.keys())
	again, errAgain := store.Resolve(t.Context(), of.id, of.keys())
	if id != again || (resolved == nil) != (errAgain == nil) || resolved != nil && !errors.Is(resolved, plugin.ErrNotFound) || err == nil && id != ack.ID {
		t.Errorf("at request %d: %q and %q, %v and %v; the caller was told %q", n, id, again, resolved, errAgain, ack.ID)
	}
	if errors.Is(err, plugin.ErrUnavailable) && resolved == nil {
		t.Errorf("at request %d: unavailable, and it is there", n)
	}
	v := &violations{T: t, kinds: map[string]int{}, round: int(n)}
	if _, err := a.lucky().Maintain(t.Context()); err != nil {
		t.Error(err)
	}
	found := a.look(v, names)
	if _, there := found.accounts[string(id)]; there != (resolved == nil) || len(found.accounts) > 1 || len(v.kinds) > 0 {
		t.Errorf("at request %d: %d accounts, resolved %v, violations: %v", n, len(found.accounts), resolved, v)
	}
	for id, e := range found.accounts {
		a.checkAccount(v, found, id, e, of, nil)
	}
	return resolved == nil, !died()
}

// resolveStalled resolves an attempt whose execution stands right before its commit, in another process.
func (a *arena) resolveStalled(t *testing.T) {
	names := tokens(2)
	of := newAttempt(names[0], names[1], true)
	reached, gate := make(chan struct{}), make(chan struct{})
	stalled := &stallingCommit{Operations: a.service, reached: reached, gate: gate}
	p := &process{Operations: stalled, tally: a.tally}
	s := a.over(p)
	answered := make(chan error)
	go func() {
		_, err := a.create(t.Context(), p, s, of)
		s.Wait()
		answered <- err
	}()
	<-reached
	if _, err := a.lucky().Resolve(t.Context(), of.id, of.keys()); !errors.Is(err, plugin.ErrNotFound) {
		t.Error(err)
	}
	close(gate)
	if err := <-answered; !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("the execution that was made powerless answers %v", err)
	}
	v := &violations{T: t, kinds: map[string]int{}}
	if found := a.look(v, names); len(found.accounts) > 0 || len(v.kinds) > 0 {
		t.Error(len(found.accounts), v)
	}
}

// stallingCommit holds the first change of a claim back: in a creation that nobody disturbs it is the commit.
type stallingCommit struct {
	directory.Operations
	once          sync.Once
	reached, gate chan struct{}
}

func (c *stallingCommit) Modify(ctx context.Context, dn directory.DN, changes []directory.Change, assert directory.Filter) error {
	if len(changes) > 1 && changes[0].Kind == directory.DeleteValues {
		c.once.Do(func() { close(c.reached); <-c.gate })
	}
	return c.Operations.Modify(ctx, dn, changes, assert)
}
