package ldapstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
	"github.com/narthex/narthex/testenv"
)

// guarded is a prepared server of one kind with a store in front of it.
type guarded struct {
	*testenv.Directory
	store *ldapstore.Store
	rules *identifier.Rules
}

// TestOnEveryServer shares one server of each kind between the rules that hold on all of them.
func TestOnEveryServer(t *testing.T) {
	t.Parallel()
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			g := guarded{}
			o := prepared(t, testenv.DirectoryKind{Kind: kind.Kind, Start: func(t testing.TB, options ...testenv.DirectoryOption) *testenv.Directory {
				g.Directory = kind.Start(t, options...)
				return g.Directory
			}})
			var err error
			if g.rules, err = identifier.New(identifier.Options{}); err != nil {
				t.Fatal(err)
			}
			o.Canonical = g.canonical
			g.store = open(t, o)
			t.Run("values are equal for the store if they are for the host, and the stricter of host and directory holds", g.equality)
			t.Run("the service account may do what it needs and nothing else", g.serviceAccount)
			t.Run("others see nothing unfinished, nobody sees a password, and strangers see nothing", g.others)
			t.Run("an account that an admin has shut is refused in the words of a wrong password", g.shutByHand)
		})
	}
}

// spellings are values that somebody takes for one another: a host, a directory, or a person.
var spellings = map[plugin.KeyKind][]string{
	plugin.KindEmail: {"ada@example.org", "ADA@Example.Org", "a.da@example.org", "ada+x@example.org", "ada@example.com", "ada@bücher.example", "ada@bu\u0308cher.example",
		"Ada@xn--bcher-kva.example", "ada@bucher.example", "ada@straße.example", "ada@strasse.example", "{ada}@example.org", "*@example.org", "ada_@example.org"},
	plugin.KindUnique: {"E 1", "e  1", " E 1", "E1", "Ｅ１", "e\u00ad1", "Straße", "STRASSE", "strasse", "stra\u1e9ee", "é", "e\u0301", "E\u0301", "e", "ﬁ", "fi", "²", "2", "K", "\u212a", "Å", "\u212b", "A\u030a",
		"İ", "i", "ı", "I", "Ω", "\u2126", "a\u200bb", "ab", "a b", "a\u00a0b", "a\tb", "Ꭰ", "ꭰ", "а", "a", "1,2", `1\2c2`, "1*2", "ς", "σ", "Σ", "㎏", "kg", "\u1fb3", "\u1fbc"},
}

// equality makes one account for each spelling, in order, and then looks what there is.
func (g guarded) equality(t *testing.T) {
	for kind, values := range spellings {
		owners := map[string]plugin.ID{} // by canonical key
		stored := map[plugin.ID]string{} // values that accounts have
		for i, value := range values {
			a := newcomer(fmt.Sprintf("%s%d", kind, i))
			key := g.key(t, kind, value)
			if a.Keys[1].Canonical += "x"; kind == plugin.KindEmail {
				a.Keys[1] = key
			} else {
				a.Keys = append(a.Keys, key)
			}
			made, err := g.store.Create(t.Context(), a)
			owner, equal := owners[key.Canonical]
			switch {
			case equal && !errors.Is(err, plugin.ErrExists):
				t.Errorf("%q is %q for the host, and a second account got it: %v", value, stored[owner], err)
			case err == nil:
				owners[key.Canonical], stored[made.ID] = made.ID, value
			case !errors.Is(err, plugin.ErrExists) && !errors.Is(err, plugin.ErrInvalid):
				t.Errorf("%q: %v", value, err)
			}
		}
		t.Logf("%d of %d spellings of kind %s are accounts of their own", len(stored), len(values), kind)
		if len(stored) < len(values)/3 {
			t.Errorf("only %d", len(stored))
		}
		g.eachFindsItself(t, kind, values, owners)
	}
}

// eachFindsItself looks every spelling up, here and by what the directory itself thinks is equal.
func (g guarded) eachFindsItself(t *testing.T, kind plugin.KeyKind, values []string, owners map[string]plugin.ID) {
	t.Helper()
	for _, value := range values {
		key := g.key(t, kind, value)
		owner, there := owners[key.Canonical]
		found, err := g.store.Lookup(t.Context(), key)
		if there && found.ID != owner || !there && !errors.Is(err, plugin.ErrNotFound) {
			t.Errorf("%q finds %+v, %v, want %q", value, found, err, owner)
		}
		filter := directory.Equal(key.Attribute, key.Value).String()
		out, err := g.LDAPSearchAs(g.AdminDN, g.AdminPassword, g.People, filter, "1.1")
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count("\n"+out, "\ndn"); n > 1 {
			t.Errorf("the directory thinks that %d accounts have %q:\n%s", n, value, out)
		}
	}
}

// canonical is how the host compares values that an admin has written.
func (g guarded) canonical(kind plugin.KeyKind, attribute, value string) (string, bool) {
	if kind == plugin.KindUnique {
		return g.rules.Unique(attribute, plugin.StringValue(value)).Canonical, true
	}
	id, err := g.rules.Login(value)
	return id.Canonical, err == nil && id.Kind == kind
}

// key is the value's key as the host forms it.
func (g guarded) key(t *testing.T, kind plugin.KeyKind, value string) plugin.Key {
	t.Helper()
	if kind == plugin.KindUnique {
		return g.rules.Unique("departmentNumber", plugin.StringValue(value)).Key("departmentNumber", false)
	}
	id, err := g.rules.Email(value)
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	return id.Key("mail", true)
}

// TestAThousandPeopleOfOneNameAllGetAccounts has them come 50 at a time, each with the same given and family name.
func TestAThousandPeopleOfOneNameAllGetAccounts(t *testing.T) {
	t.Parallel()
	const people, together = 1000, 50
	_, o := preparedSlapd(t)
	var asked atomic.Int64
	o.Hook = func(context.Context, directory.Operation) error { asked.Add(1); return nil }
	store := open(t, o)
	asked.Store(0)
	var ids sync.Map
	var running sync.WaitGroup
	for worker := range together {
		running.Go(func() {
			for i := range people / together {
				made, err := store.Create(t.Context(), newcomer(fmt.Sprintf("same%d-%d", worker, i)))
				if err != nil {
					t.Errorf("person %d of worker %d: %v", i, worker, err)
				}
				if _, double := ids.LoadOrStore(made.ID, true); double {
					t.Errorf("two people have the account %s", made.ID)
				}
			}
		})
	}
	running.Wait()
	if each := float64(asked.Load()) / people; each > 15 {
		t.Errorf("a creation takes %.1f requests", each)
	}
}

// TestAnOverlayThatMissesWhatHappensAtOnceChangesNothing has many callers want one address where slapo-unique is told to
// wait for its turn, and where it is not: without that it lets two Adds pass that come together.
func TestAnOverlayThatMissesWhatHappensAtOnceChangesNothing(t *testing.T) {
	t.Parallel()
	d, o := preparedSlapd(t, testenv.WithUnique("uid", "mail"))
	store := open(t, o)
	for _, c := range []struct{ name, uri string }{
		{"it waits for its turn", "serialize ldap:///ou=people,BASE?uid,mail?sub"}, {"it does not", "ldap:///ou=people,BASE?uid,mail?sub"},
	} {
		t.Run(c.name, func(t *testing.T) {
			overlay := d.LDAPSearch(t, "cn=config", "(objectClass=olcUniqueConfig)", "1.1")
			d.Load(t, strings.TrimSpace(overlay)+"\nchangetype: modify\nreplace: olcUniqueURI\nolcUniqueURI: "+strings.ReplaceAll(c.uri, "BASE", d.Base)+"\n")
			plugintest.Race(t.Context(), t, backend(t, store), 32, 8, suite(testenv.OpenLDAP)...)
		})
	}
}
