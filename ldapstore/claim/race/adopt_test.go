package race

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestAdopt: accounts that were there before, and what an admin does by hand.
func TestAdopt(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			b := &byHand{arena: enter(t, kind), names: tokens(6), today: time.Now()}
			b.now = func() time.Time { return b.today }
			b.settings.UsernameHold = 24 * time.Hour
			b.store = claim.New(claim.Config{Operations: b.service, Server: b.server, Settings: b.settings, Canonical: canonical, Clock: b.now})
			t.Run("an account gets its claims, once", b.adoptsOnce)
			t.Run("a name that two accounts have stays with the first, and nothing is changed", b.reportsDuplicates)
			t.Run("an adopted account is changed like any other", b.changes)
			t.Run("an address given by hand logs in at once, the old one nobody", b.remailed)
			t.Run("the next adoption claims the new address and holds the old one back for a day", b.adoptsNewAddress)
			t.Run("an account deleted by hand holds its names for a day", b.deletedByHand)
			t.Run("accounts that cannot be found by their id are not gone", b.blind)
		})
	}
}

type byHand struct {
	*arena
	names []token
	today time.Time
	store *claim.Store
	ada   claim.Person
}

// person adds an entry as an admin does, without any claim.
func (b *byHand) person(t *testing.T, user token, mails ...token) claim.Person {
	t.Helper()
	rdn, class := "uid", "inetOrgPerson"
	attributes := []directory.Attribute{{Name: "sn", Values: []string{"Lovelace"}}}
	if b.server.Kind == directory.ActiveDirectory {
		rdn, class = "cn", "user"
		attributes = append(attributes, directory.Attribute{Name: "sAMAccountName", Values: []string{string(user)}})
	} else {
		attributes = append(attributes, directory.Attribute{Name: "uid", Values: []string{string(user)}}, directory.Attribute{Name: "cn", Values: []string{string(user)}})
	}
	p := claim.Person{DN: b.settings.People.Base.Child(rdn, string(user)), Keys: []plugin.Key{user.key(plugin.KindUsername)}}
	for _, m := range mails {
		attributes = append(attributes, directory.Attribute{Name: "mail", Values: []string{m.mail()}})
		p.Keys = append(p.Keys, m.key(plugin.KindEmail))
	}
	attributes = append(attributes, directory.Attribute{Name: "objectClass", Values: []string{class}})
	if err := b.admin.Add(t.Context(), p.DN, attributes); err != nil {
		t.Fatal(err)
	}
	e, err := b.admin.Read(t.Context(), p.DN, b.server.IDAttribute())
	if err != nil {
		t.Fatal(err)
	}
	p.ID = plugin.ID(b.server.EntryID(e))
	return p
}

func (b *byHand) adopt(t *testing.T, p claim.Person, claimed int, taken ...token) {
	t.Helper()
	got, err := b.store.Adopt(t.Context(), p, nil)
	if err != nil || got.Busy || got.Claimed != claimed || len(got.Taken) != len(taken) {
		t.Errorf("adoption: %+v, %v; want %d claims and %d names taken", got, err, claimed, len(taken))
	}
}

// owner looks a name up.
func (b *byHand) owner(t *testing.T, k token) plugin.ID {
	t.Helper()
	found, err := b.store.Lookup(t.Context(), k.key(plugin.KindEmail))
	if err != nil && !errors.Is(err, plugin.ErrNotFound) {
		t.Error(err)
	}
	return found.ID
}

func (b *byHand) review(t *testing.T, k token, want bool) {
	t.Helper()
	changed, err := b.store.Review(t.Context(), claim.Name(k.canonical()))
	if err != nil || changed != want {
		t.Errorf("review: %v, %v", changed, err)
	}
}

// taken tries to take names, as somebody new.
func (b *byHand) taken(t *testing.T, user, mail token) bool {
	t.Helper()
	p := &process{Operations: b.service, tally: b.tally}
	_, err := b.create(t.Context(), p, b.store, newAttempt(user, mail, false))
	if err != nil && !errors.Is(err, plugin.ErrExists) {
		t.Error(err)
	}
	b.store.Wait()
	return err != nil
}

func (b *byHand) adoptsOnce(t *testing.T) {
	b.ada = b.person(t, b.names[0], b.names[1])
	if b.owner(t, b.names[1]) != b.ada.ID {
		t.Error("before the adoption nobody is found")
	}
	b.adopt(t, b.ada, 2)
	b.adopt(t, b.ada, 0)
	if b.owner(t, b.names[1]) != b.ada.ID {
		t.Error("after the adoption nobody is found")
	}
	v := &violations{T: t, kinds: map[string]int{}}
	if b.look(v, b.names); len(v.kinds) > 0 {
		t.Error(v)
	}
}

func (b *byHand) reportsDuplicates(t *testing.T) {
	twin := b.person(t, b.names[2], b.names[1])
	b.adopt(t, twin, 1, b.names[1])
	b.adopt(t, twin, 0, b.names[1])
	if b.owner(t, b.names[1]) != b.ada.ID {
		t.Error("the first one has lost the name")
	}
	if err := b.admin.Delete(t.Context(), twin.DN); err != nil {
		t.Fatal(err)
	}
}

func (b *byHand) changes(t *testing.T) {
	c := plugin.IdentifierChange{Attempt: newAttempt("", "", false).id, NotAfter: b.now().Add(time.Minute), Add: alias(b.names[3]), Drop: alias(b.names[1])}
	if err := b.store.Change(t.Context(), b.ada.ID, c); err != nil {
		t.Fatal(err)
	}
	b.store.Wait()
	if b.owner(t, b.names[3]) != b.ada.ID || b.owner(t, b.names[1]) != "" {
		t.Error("the change is not seen")
	}
}

// remail replaces the address in the entry.
func (b *byHand) remail(t *testing.T, k token) {
	t.Helper()
	change := directory.Change{Kind: directory.ReplaceValues, Attribute: directory.Attribute{Name: "mail", Values: []string{k.mail()}}}
	if err := b.admin.Modify(t.Context(), b.ada.DN, []directory.Change{change}, directory.Filter{}); err != nil {
		t.Fatal(err)
	}
	b.ada.Keys = []plugin.Key{b.names[0].key(plugin.KindUsername), k.key(plugin.KindEmail)}
}

func (b *byHand) remailed(t *testing.T) {
	b.remail(t, b.names[4])
	if b.owner(t, b.names[4]) != b.ada.ID {
		t.Error("the new address logs nobody in")
	}
	if b.owner(t, b.names[3]) != "" {
		t.Error("the old address still logs in")
	}
	if !b.taken(t, b.names[5], b.names[4]) || !b.taken(t, b.names[5], b.names[3]) {
		t.Error("somebody new got an address that is in the tree, or claimed")
	}
}

func (b *byHand) adoptsNewAddress(t *testing.T) {
	b.adopt(t, b.ada, 1)
	b.review(t, b.names[3], true)
	b.review(t, b.names[3], false)
	b.review(t, b.names[4], false)
	if b.owner(t, b.names[4]) != b.ada.ID || b.owner(t, b.names[3]) != "" {
		t.Error("the adoption has changed who logs in")
	}
	if !b.taken(t, b.names[5], b.names[3]) {
		t.Error("the old address was free at once")
	}
	b.remail(t, b.names[3]) // the admin thinks again
	if b.owner(t, b.names[3]) != b.ada.ID {
		t.Error("an address that was given back logs nobody in")
	}
	b.remail(t, b.names[4])
	b.today = b.today.Add(25 * time.Hour)
	if b.taken(t, b.names[5], b.names[3]) {
		t.Error("a day later the old address is not free")
	}
}

func (b *byHand) deletedByHand(t *testing.T) {
	if err := b.admin.Delete(t.Context(), b.ada.DN); err != nil {
		t.Fatal(err)
	}
	b.review(t, b.names[0], true)
	b.review(t, b.names[4], true)
	if !b.taken(t, b.names[0], b.names[1]) || b.owner(t, b.names[4]) != "" {
		t.Error("the names are free at once, or log in")
	}
	b.today = b.today.Add(13 * time.Hour)
	if _, err := b.store.Maintain(t.Context()); err != nil {
		t.Error(err)
	}
	b.today = b.today.Add(13 * time.Hour)
	if b.taken(t, b.names[0], b.names[4]) {
		t.Error("a day later the names are not free")
	}
}

func (b *byHand) blind(t *testing.T) {
	store := claim.New(claim.Config{Operations: blind{b.service, b.settings.Base}, Server: b.server, Settings: b.settings, Canonical: canonical})
	for _, k := range b.names {
		if changed, err := store.Review(t.Context(), claim.Name(k.canonical())); changed || err != nil {
			t.Errorf("a claim was freed: %v", err)
		}
	}
	if !slices.ContainsFunc(b.names, func(k token) bool { return b.owner(t, k) != "" }) {
		t.Error("there is nobody left to be blind to")
	}
}

// blind finds nothing by id.
type blind struct {
	directory.Operations
	base directory.DN
}

func (o blind) Search(ctx context.Context, base directory.DN, scope directory.Scope, filter directory.Filter, limit int, attributes ...string) ([]directory.Entry, error) {
	if base.Equal(o.base) {
		return nil, nil
	}
	return o.Operations.Search(ctx, base, scope, filter, limit, attributes...)
}
