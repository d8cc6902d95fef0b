package race

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestWhatAnAdoptionAsks: a large tree is adopted with hardly more requests than the claims that are written, and no request
// makes the server look through all claims.
func TestWhatAnAdoptionAsks(t *testing.T) {
	a := enter(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd})
	a.lease = 15 * time.Second
	hand, names := &byHand{arena: a}, tokens(3)
	p := hand.person(t, names[0], names[1])
	asked := &asked{}
	store := a.over(directory.WithHook(a.service, asked.hook))
	expect := func(what string, limit int, do func() error) {
		t.Helper()
		asked.all = nil
		if err := do(); err != nil {
			t.Fatal(what, err)
		}
		store.Wait()
		if len(asked.all) > limit {
			t.Errorf("%s: more than %d requests: %v", what, limit, asked.all)
		}
		for _, o := range asked.all {
			if o.Name == "search" && o.DN.Equal(a.settings.Identifiers) {
				t.Errorf("%s looks through all claims", what)
			}
		}
	}
	ctx := context.Background()
	expect("a new account: two claims and a last look", 3, func() error {
		_, err := store.Adopt(ctx, p, store.NewCensus())
		return err
	})
	census := store.NewCensus()
	hand.record(census)
	expect("an account that is known", 1, func() error {
		_, err := store.Adopt(ctx, p, census)
		return err
	})
	if unmet := census.Unmet(); len(unmet) > 0 {
		t.Errorf("claims %v of an account that was just met would be reviewed", unmet)
	}
	expect("a claim that is reviewed", 2, func() error {
		_, err := store.Review(ctx, claim.Name(names[1].canonical()))
		return err
	})
	expect("a change of an adopted account", 20, func() error {
		return store.Change(ctx, p.ID, plugin.IdentifierChange{Attempt: newAttempt("", "", false).id, NotAfter: time.Now().Add(time.Minute), Add: alias(names[2])})
	})
}

// asked are the requests that were sent.
type asked struct {
	mu  sync.Mutex
	all []directory.Operation
}

func (a *asked) hook(_ context.Context, o directory.Operation) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, o)
	return nil
}
