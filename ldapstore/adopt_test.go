package ldapstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// folded forms keys as a host might: without regard to case.
func folded(kind plugin.KeyKind, _, value string) (string, bool) {
	return "1:" + strings.ToLower(value), value != ""
}

func key(kind plugin.KeyKind, attribute, value string) plugin.Key {
	canonical, _ := folded(kind, attribute, value)
	return plugin.Key{Kind: kind, Canonical: canonical, Value: value, Attribute: attribute, Login: true}
}

// peopled prepares a slapd whose people may have been there before.
func peopled(t *testing.T) (d *testenv.Directory, o ldapstore.Options) {
	o = prepared(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: func(t testing.TB, options ...testenv.DirectoryOption) *testenv.Directory {
		d = testenv.StartSlapd(t, append(options, testenv.WithFilterLog())...)
		return d
	}})
	o.Canonical = folded
	return d, o
}

func TestPeopleWhoStandInTheDirectoryAlreadyAreAdopted(t *testing.T) {
	d, o := peopled(t)
	for i, mail := range []string{"ada@example.org", "grace@example.org", "ADA@example.org"} {
		d.Load(t, fmt.Sprintf("dn: uid=old%d,%s\nobjectClass: inetOrgPerson\nuid: old%d\ncn: Old\nsn: Old\nmail: %s\n", i, d.People, i, mail))
	}
	store := open(t, o)
	adopt := func() ldapstore.Adopted {
		t.Helper()
		done, err := store.Adopt(t.Context(), func() {})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	first := adopt()
	if first.People != 3 || first.Claimed != 5 || len(first.Duplicates) != 1 || !strings.EqualFold(first.Duplicates[0].Value, "ada@example.org") {
		t.Errorf("adopted: %+v", first)
	}
	if again := adopt(); again.Claimed != 0 || len(again.Duplicates) != 1 {
		t.Errorf("adopted again: %+v", again)
	}
	a, err := store.Lookup(t.Context(), key(plugin.KindEmail, "mail", "Grace@example.org"))
	if err != nil || a.Username != "old1" {
		t.Errorf("look up an adopted address: %+v %v", a, err)
	}
	d.Load(t, "dn: uid=old1,"+d.People+"\nchangetype: modify\nreplace: mail\nmail: hopper@example.org\n")
	if _, err := store.Lookup(t.Context(), key(plugin.KindEmail, "mail", "grace@example.org")); err == nil {
		t.Error("an address that an admin has taken from an entry still finds it")
	}
	if a, err := store.Lookup(t.Context(), key(plugin.KindEmail, "mail", "hopper@example.org")); err != nil || a.Username != "old1" {
		t.Errorf("an address that an admin has given an entry: %+v %v", a, err)
	}
	if done := adopt(); done.Freed != 1 || done.Claimed != 1 {
		t.Errorf("adopted after changes by hand: %+v", done)
	}
	if err := store.Delete(t.Context(), a.ID); err != nil {
		t.Errorf("delete an adopted account: %v", err)
	}
	if _, err := store.Get(t.Context(), a.ID); err == nil {
		t.Error("a deleted account is there")
	}
	allIndexed(t, d)
}

func TestAnAdoptionThatIsCutOffGoesOnWhenRunAgain(t *testing.T) {
	d, o := peopled(t)
	const people = 60
	var ldif strings.Builder
	for i := range people {
		fmt.Fprintf(&ldif, "dn: uid=old%d,%s\nobjectClass: inetOrgPerson\nuid: old%d\ncn: Old\nsn: Old\nmail: old%d@example.org\n\n", i, d.People, i, i)
	}
	d.Load(t, ldif.String())
	store := open(t, o)
	ctx, cut := context.WithCancel(t.Context())
	var seen atomic.Int64
	first, err := store.Adopt(ctx, func() {
		if seen.Add(1) == people/2 {
			cut()
		}
	})
	if err == nil || first.Claimed == 0 {
		t.Fatalf("cut off after %d people: %+v, %v", seen.Load(), first, err)
	}
	claims := func() int { return strings.Count(d.LDAPSearch(t, d.Identifiers, "(description=A *)", "1.1"), "dn: ") }
	stood := claims()
	if stood == 2*people {
		t.Fatal("nothing was left to be done")
	}
	again, err := store.Adopt(t.Context(), func() {})
	if err != nil || again.People != people || again.Claimed != 2*people-stood || len(again.Duplicates)+len(again.Left)+again.Freed > 0 || claims() != 2*people {
		t.Errorf("run again when %d claims stood: %+v, %v; now there are %d", stood, again, err, claims())
	}
	if a, err := store.Lookup(t.Context(), key(plugin.KindEmail, "mail", "old59@example.org")); err != nil || a.Username != "old59" {
		t.Errorf("look up an adopted address: %+v %v", a, err)
	}
}
