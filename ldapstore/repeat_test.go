package ldapstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

func TestADropThatIsTriedAgainAfterOthersHaveTheAddressIsDone(t *testing.T) {
	o := prepared(t, testenv.Directories()[0])
	o.Canonical = folded
	store := open(t, o)
	ada := register(t, store, "ada")
	second, shared := byMail("second"), byMail("ada")
	change := func(attempt string, add, drop *plugin.Key) error {
		c := plugin.IdentifierChange{Attempt: plugin.Attempt(strings.Repeat(attempt, 32)), NotAfter: time.Now().Add(plugin.CreateLifetime), Add: add, Drop: drop}
		_, err := store.Update(t.Context(), ada.ID, plugin.Change{Identifier: &c})
		return err
	}
	drop := func() error { return change("d", nil, &shared) }
	if err := errors.Join(change("a", &second, nil), drop()); err != nil {
		t.Fatal(err)
	}
	eve := register(t, store, "eve")
	c := plugin.IdentifierChange{Attempt: plugin.Attempt(strings.Repeat("e", 32)), NotAfter: time.Now().Add(plugin.CreateLifetime), Add: &shared}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, err := store.Update(t.Context(), eve.ID, plugin.Change{Identifier: &c})
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	if err := drop(); err != nil {
		t.Errorf("the same drop again: %v", err)
	}
	if a, err := store.Lookup(t.Context(), shared); err != nil || a.ID != eve.ID {
		t.Errorf("the address finds %v: %v", a.ID, err)
	}
	if err := change("f", nil, &shared); !errors.Is(err, plugin.ErrConflict) {
		t.Errorf("another drop of what the account does not have: %v", err)
	}
}

func TestAnAddressThatIsNotHeldBackIsFreeAsSoonAsItsDropIsAnswered(t *testing.T) {
	o := prepared(t, testenv.Directories()[0])
	o.Canonical = folded
	quick := o
	var slow atomic.Bool
	o.Hook = func(_ context.Context, op directory.Operation) error {
		if slow.Load() && op.Name == "modify" {
			time.Sleep(50 * time.Millisecond)
		}
		return nil
	}
	store, other := open(t, o), open(t, quick)
	for name, add := range map[string]bool{"dropped": false, "exchanged": true} {
		a := register(t, store, name)
		before, next := byMail(name), byMail("next")
		c := plugin.IdentifierChange{Attempt: plugin.Attempt(strings.Repeat("a", 32)), NotAfter: time.Now().Add(plugin.CreateLifetime), Drop: &before}
		if add {
			c.Add = &next
		}
		slow.Store(true)
		_, err := store.Update(t.Context(), a.ID, plugin.Change{Identifier: &c})
		slow.Store(false)
		if err != nil {
			t.Fatal(err)
		}
		heir, err := other.Create(t.Context(), registrant("heir-of-"+name, before))
		if err != nil {
			t.Errorf("%s: another cannot have it: %v", name, err)
		}
		if found, err := other.Lookup(t.Context(), before); err != nil || found.ID != heir.ID {
			t.Errorf("%s: it finds %v, %v", name, found.ID, err)
		}
	}
}

func TestSomebodyWhoWasNeverAdoptedIsChangedAndDeletedAsAnybodyElse(t *testing.T) {
	kind, directoryOf := keeping(testenv.Directories()[0])
	o := prepared(t, kind)
	o.Canonical = folded
	d := directoryOf()
	for _, name := range []string{"ada", "bob", "eve"} {
		d.Load(t, fmt.Sprintf("dn: uid=%s,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: x\nsn: x\nmail: %s@example.org\n", name, d.People, name, name))
	}
	d.Load(t, "dn: uid=eve,"+d.People+"\nchangetype: modify\nreplace: mail\nmail: bob@example.org\n")
	store := open(t, o)
	find := func(name string) plugin.Account {
		t.Helper()
		a, err := store.Lookup(t.Context(), key(plugin.KindUsername, "uid", name))
		if err != nil {
			t.Fatal(name, err)
		}
		return a
	}
	ada, bob, eve := find("ada"), find("bob"), find("eve")
	second := byMail("second")
	c := plugin.IdentifierChange{Attempt: plugin.Attempt(strings.Repeat("a", 32)), NotAfter: time.Now().Add(plugin.CreateLifetime), Add: &second}
	if _, err := store.Update(t.Context(), ada.ID, plugin.Change{Identifier: &c}); err != nil {
		t.Errorf("another address: %v", err)
	}
	if a, err := store.Lookup(t.Context(), second); err != nil || a.ID != ada.ID {
		t.Errorf("the new address finds %v: %v", a.ID, err)
	}
	for _, a := range []plugin.Account{ada, bob} {
		if err := store.Delete(t.Context(), a.ID); err != nil {
			t.Errorf("delete %s: %v", a.Username, err)
		}
		if _, err := store.Get(t.Context(), a.ID); !errors.Is(err, plugin.ErrNotFound) {
			t.Errorf("%s is there: %v", a.Username, err)
		}
	}
	if found := d.LDAPSearch(t, d.People, "(objectClass=inetOrgPerson)", "uid"); strings.Count(found, "uid: ") != 1 {
		t.Errorf("what is left is\n%s", found)
	}
	if a, err := store.Get(t.Context(), eve.ID); err != nil || a.ID != eve.ID {
		t.Errorf("who had an address in common with somebody deleted: %v", err)
	}
}
