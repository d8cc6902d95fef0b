package ldapstore_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/testenv"
)

func TestAStoreThatMayNotCreateAccountsDoesNotOpenAndSaysWhatToDo(t *testing.T) {
	d := testenv.StartSlapd(t)
	store, err := ldapstore.Open(t.Context(), at(t, d))
	if err == nil {
		_ = store.Close()
		t.Fatal("it opens")
	}
	if !strings.Contains(err.Error(), "directory check") || !strings.Contains(err.Error(), "cannot add claims") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

func TestAStoreThatMayNotSearchByIDDoesNotOpen(t *testing.T) {
	var d *testenv.Directory
	kind := testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: func(t testing.TB, options ...testenv.DirectoryOption) *testenv.Directory {
		d = testenv.StartSlapd(t, options...)
		return d
	}}
	o := prepared(t, kind)
	d.Load(t, "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcAccess\nolcAccess: {0}to attrs=entryUUID by dn.exact=\""+d.ServiceDN+"\" =r by * break\n")
	store, err := ldapstore.Open(t.Context(), o)
	if err == nil {
		_ = store.Close()
		t.Fatal("it opens")
	}
	if !strings.Contains(err.Error(), "may not search by entryUUID") {
		t.Errorf("got %v", err)
	}
}
