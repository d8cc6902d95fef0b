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

// TestAdoptionsAtOnce: several adoptions of one account die and stall beside one another, beside people who want its names,
// and beside its own changes and, in every second round, its deletion. Some know nothing of the claims that there are, some
// believe that there are none, some know what there was a moment ago.
func TestAdoptionsAtOnce(t *testing.T) {
	a := enter(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd})
	v := &violations{T: t, kinds: map[string]int{}}
	hand := &byHand{arena: a}
	hand.person(t, tokens(1)[0])
	bad := luck{death: 0.03, stall: 0.05, lost: 0.01, lease: a.lease}
	for v.round = range rounds(5) {
		names := tokens(4)
		p := hand.person(t, names[0], names[1])
		stop := a.janitors(bad.worse(0.25))
		var all sync.WaitGroup
		do := func(what string, do func(*process, *claim.Store) error) {
			all.Go(func() {
				for range 3 {
					process, store := a.spawn(bad)
					a.tally.add(what + " " + a.outcome(process, do(process, store)))
					store.Wait()
					process.late.Wait()
				}
			})
		}
		for n := range 6 {
			do("adopt", func(_ *process, store *claim.Store) error {
				var census *claim.Census
				if n%3 > 0 {
					census = store.NewCensus()
				}
				if n%3 > 1 {
					hand.record(census)
				}
				_, err := store.Adopt(context.Background(), p, census)
				return err
			})
			if n > 3 {
				continue
			}
			of := newAttempt(names[2], names[1], false)
			do("create", func(process *process, store *claim.Store) error {
				_, err := a.create(context.Background(), process, store, of)
				return err
			})
		}
		do("exchange", func(_ *process, store *claim.Store) error {
			c := plugin.IdentifierChange{Attempt: newAttempt("", "", false).id, NotAfter: time.Now().Add(a.lease), Add: alias(names[3]), Drop: alias(names[1]), Hold: a.lease}
			return store.Change(context.Background(), p.ID, c)
		})
		if v.round%2 == 1 {
			do("delete", func(_ *process, store *claim.Store) error { return store.Delete(context.Background(), p.ID) })
		}
		all.Wait()
		stop()
		a.settle(v)
		hand.again(v, p.ID, names)
		a.look(v, names)
	}
	t.Logf("adopt: %s; create: %s; exchange: %s; delete: %s", a.tally.list("adopt "), a.tally.list("create "), a.tally.list("exchange "), a.tally.list("delete "))
	if len(v.kinds) > 0 {
		t.Errorf("violations: %v", v)
	}
}

// record takes down all claims.
func (b *byHand) record(census *claim.Census) {
	found, err := b.admin.Search(context.Background(), b.settings.Identifiers, directory.OneLevel, directory.Filter{}, 0, census.Attributes()...)
	if err != nil {
		b.Error(err)
	}
	for _, e := range found {
		census.Record(e)
	}
}

// again adopts an account once more as it is now, and reviews its names, as the next adoption does.
func (b *byHand) again(v *violations, id plugin.ID, names []token) {
	ctx, store := context.Background(), b.lucky()
	defer store.Wait()
	found, err := b.admin.Search(ctx, b.settings.People.Base, directory.Subtree, b.server.IDFilter(string(id)), 1, b.settings.People.Username, "mail")
	if err != nil {
		v.add("search", "%v", err)
	}
	for _, e := range found {
		p := claim.Person{ID: id, DN: e.DN, Keys: []plugin.Key{names[0].key(plugin.KindUsername)}}
		for _, k := range names {
			for _, mail := range e.Values("mail") {
				if mail == k.mail() {
					p.Keys = append(p.Keys, k.key(plugin.KindEmail))
				}
			}
		}
		if a, err := store.Adopt(ctx, p, nil); err != nil || a.Busy || len(a.Taken) > 0 {
			v.add("a lucky adoption", "%+v, %v", a, err)
		}
	}
	for _, k := range names {
		if _, err := store.Review(ctx, claim.Name(k.canonical())); err != nil {
			v.add("a review fails", "%v", err)
		}
	}
}
