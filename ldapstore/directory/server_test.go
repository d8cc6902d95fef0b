package directory_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

// settingsOf are for a server's admin: what accounts may do is not this package's concern.
func settingsOf(d *testenv.Directory) directory.Settings {
	return directory.Settings{URL: d.URL, BindDN: d.AdminDN, Password: d.AdminPassword, CAFile: d.CAFile}
}

func open(t testing.TB, settings directory.Settings) *directory.Pool {
	t.Helper()
	pool, err := directory.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// person is an entry that each kind of server takes.
func person(kind, name string) []directory.Attribute {
	class := "inetOrgPerson"
	if kind == testenv.ActiveDirectory {
		class = "user"
	}
	return []directory.Attribute{{"objectClass", []string{class}}, {"cn", []string{name}}, {"sn", []string{"Lovelace"}}}
}

func TestEveryServer(t *testing.T) {
	t.Parallel()
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			d := kind.Start(t)
			pool := open(t, settingsOf(d))
			server, err := pool.Server(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Run("is recognised", func(t *testing.T) { recognised(t, d, server) })
			t.Run("does what is asked", func(t *testing.T) { operations(t, d, pool) })
			t.Run("finds an entry by its id", func(t *testing.T) { byID(t, d, pool, server) })
			t.Run("takes any octets as a name and as a value", func(t *testing.T) { anyName(t, d, pool) })
			t.Run("uses a control only where it is listed", func(t *testing.T) { controls(t, d, pool, server) })
		})
	}
}

func recognised(t *testing.T, d *testenv.Directory, server directory.Server) {
	if string(server.Kind) != d.Kind {
		t.Errorf("a server of kind %s is taken for %s", d.Kind, server.Kind)
	}
	if server.Subschema == "" || server.StartTLS == (d.Kind == testenv.ActiveDirectory) || !server.Paging || len(server.NamingContexts) == 0 {
		t.Errorf("the rootDSE was not understood: %+v", server)
	}
	openldap := d.Kind == testenv.OpenLDAP
	if server.Assertion != openldap || server.Increment != openldap {
		t.Errorf("assertion %v, increment %v", server.Assertion, server.Increment)
	}
	if want := d.Kind != testenv.ActiveDirectory; server.PasswordModify != want || server.PreRead != want {
		t.Errorf("password modify %v, pre-read %v, want %v", server.PasswordModify, server.PreRead, want)
	}
}

func operations(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	ctx := t.Context()
	people, groups := directory.DN(d.People), directory.DN(d.Groups)
	dn := people.Child("cn", "ada")
	if err := pool.Add(ctx, dn, person(d.Kind, "ada")); err != nil {
		t.Fatal(err)
	}
	if err := pool.Add(ctx, dn, person(d.Kind, "ada")); !directory.Refused(err, directory.EntryAlreadyExists) {
		t.Errorf("the second Add: %v", err)
	}
	swap := []directory.Change{
		{directory.DeleteValues, directory.Attribute{"sn", []string{"Lovelace"}}},
		{directory.AddValues, directory.Attribute{"sn", []string{"Byron"}}},
	}
	if err := pool.Modify(ctx, dn, swap, directory.Filter{}); err != nil {
		t.Error(err)
	}
	if err := pool.Modify(ctx, dn, swap, directory.Filter{}); !directory.Refused(err, directory.NoSuchAttribute) {
		t.Errorf("deleting what is not there: %v", err)
	}
	remove := []directory.Change{{directory.ReplaceValues, directory.Attribute{Name: "telephoneNumber"}}}
	if err := pool.Modify(ctx, dn, remove, directory.Filter{}); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
	entry, err := pool.Read(ctx, dn, "SN", "objectClass")
	if err != nil || entry.Value("sn") != "Byron" || entry.Values("cn") != nil || !entry.DN.Equal(dn) {
		t.Errorf("read %+v, %v", entry, err)
	}
	for _, name := range []string{"bea", "bob"} {
		if err := pool.Add(ctx, people.Child("cn", name), person(d.Kind, name)); err != nil {
			t.Fatal(err)
		}
	}
	searches(t, d, pool)
	moved := groups.Child("cn", "ada, countess")
	if err := pool.Move(ctx, dn, moved, true, directory.Filter{}); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Read(ctx, dn); !directory.Refused(err, directory.NoSuchObject) {
		t.Errorf("the old place: %v", err)
	}
	if entry, err = pool.Read(ctx, moved, "cn"); err != nil || len(entry.Values("cn")) != 1 || entry.Value("cn") != "ada, countess" {
		t.Errorf("the new place: %+v, %v", entry, err)
	}
	if err := pool.Delete(ctx, moved); err != nil {
		t.Error(err)
	}
	if err := pool.Delete(ctx, moved); !directory.Refused(err, directory.NoSuchObject) {
		t.Errorf("the second Delete: %v", err)
	}
}

func searches(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	ctx, people := t.Context(), directory.DN(d.People)
	lovelace := directory.Equal("sn", "lovelace")
	tests := []struct {
		rule   string
		base   directory.DN
		scope  directory.Scope
		filter directory.Filter
		limit  int
		want   int
	}{
		{"all below", people, directory.OneLevel, directory.Present("sn"), 0, 3},
		{"no filter is every entry", people, directory.Subtree, directory.Filter{}, 0, 4},
		{"the limit cuts off", people, directory.OneLevel, directory.Present("sn"), 2, 2},
		{"a limit that is not reached", people, directory.OneLevel, lovelace, 2, 2},
		{"and", people, directory.Subtree, directory.And(lovelace, directory.Equal("cn", "bea")), 0, 1},
		{"or", people, directory.Subtree, directory.Or(directory.Equal("sn", "byron"), directory.Equal("cn", "bea")), 0, 2},
		{"not", people, directory.OneLevel, directory.Not(lovelace), 0, 1},
		{"or of none", people, directory.Subtree, directory.Or(), 0, 0},
		{"a star is no pattern", people, directory.Subtree, directory.Equal("cn", "b*"), 0, 0},
		{"a filter is no value", people, directory.Subtree, directory.Equal("cn", "x)(sn=*"), 0, 0},
	}
	for _, test := range tests {
		found, err := pool.Search(ctx, test.base, test.scope, test.filter, test.limit, "cn")
		if err != nil || len(found) != test.want {
			t.Errorf("%s: %d entries, %v", test.rule, len(found), err)
		}
	}
}

func byID(t *testing.T, d *testenv.Directory, pool *directory.Pool, server directory.Server) {
	ctx := t.Context()
	dn := directory.DN(d.People).Child("cn", "grace")
	if err := pool.Add(ctx, dn, person(d.Kind, "grace")); err != nil {
		t.Fatal(err)
	}
	entry, err := pool.Read(ctx, dn, server.IDAttribute())
	if err != nil {
		t.Fatal(err)
	}
	id := server.EntryID(entry)
	if len(id) < 32 {
		t.Fatalf("an id of %q", id)
	}
	found, err := pool.Search(ctx, directory.DN(d.Base), directory.Subtree, server.IDFilter(id), 2, server.IDAttribute())
	if err != nil || len(found) != 1 || !found[0].DN.Equal(dn) || server.EntryID(found[0]) != id {
		t.Errorf("found %+v, %v", found, err)
	}
	for _, other := range []string{"", "*", "0123456789abcdef", "00000000-0000-0000-0000-000000000000"} {
		if found, err = pool.Search(ctx, directory.DN(d.Base), directory.Subtree, server.IDFilter(other), 2); err != nil || len(found) != 0 {
			t.Errorf("the id %q finds %+v, %v", other, found, err)
		}
	}
	name, ok := server.ByID(id)
	if ok != (d.Kind == testenv.ActiveDirectory) {
		t.Errorf("by id: %v", ok)
	}
	if ok {
		if entry, err = pool.Read(ctx, name, "cn"); err != nil || entry.Value("cn") != "grace" {
			t.Errorf("read by id: %+v, %v", entry, err)
		}
	}
	if err := pool.Delete(ctx, dn); err != nil {
		t.Error(err)
	}
}

// anyName: an entry gets exactly the name it is to have, below its parent, or none at all.
func anyName(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	ctx, people := t.Context(), directory.DN(d.People)
	const nul = "nul\x00nul" // 389 takes it and then writes the DN wrongly: without the backslash
	names := []string{`a,ou=groups`, `a+sn=b`, `"quoted"`, `back\slash`, `#hash`, ` blank`, `blank `, `semi;colon`, `<angle>`,
		`equal=sign`, `josé`, `Ω`, `*`, `a)(cn=*`, `(`, `\2a`, `\`, "line\nfeed", `a/b`, "nul\x00nul", "bad\xff"}
	for _, name := range names {
		dn := people.Child("cn", name)
		err := pool.Add(ctx, dn, person(d.Kind, name))
		if err != nil {
			if !directory.Refused(err) {
				t.Errorf("%q: %v", name, err)
			}
			t.Logf("%q is refused: %v", name, err)
			continue
		}
		found, err := pool.Search(ctx, people, directory.OneLevel, directory.Equal("cn", name), 0, "cn")
		if err != nil || len(found) != 1 || found[0].Value("cn") != name {
			t.Errorf("%q: found %+v, %v", name, found, err)
		} else if !found[0].DN.Equal(dn) && name != nul || !found[0].DN.Parent().Equal(people) {
			t.Errorf("%q: lies at %q, not at %q", name, found[0].DN, dn)
		}
		if err := pool.Delete(ctx, dn); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestStartTLSAndLDAPSBothWork(t *testing.T) {
	t.Parallel()
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			bothWork(t, kind.Start(t))
		})
	}
}

func bothWork(t *testing.T, d *testenv.Directory) {
	for _, url := range []string{d.URL, d.StartTLSURL} {
		settings := settingsOf(d)
		settings.URL, settings.ConnectTimeout = url, 5*time.Second
		c, err := directory.Dial(t.Context(), settings)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(t.Context(), directory.DN(d.People), "ou"); err != nil {
			t.Error(err)
		}
		if state, ok := c.Secured(); !ok || state.Version < tls.VersionTLS12 {
			t.Errorf("TLS: %v, %+v", ok, state)
		}
		c.Close()
	}
}
