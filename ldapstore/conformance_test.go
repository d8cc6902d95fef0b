package ldapstore_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
	"github.com/narthex/narthex/testenv"
)

// place tells the test binary, started again as a persister, where its directory is: the options as JSON.
const place = "LDAPSTORE_PLACE"

func TestMain(m *testing.M) {
	if where := os.Getenv(place); where != "" {
		os.Exit(servePersister(where))
	}
	os.Exit(m.Run())
}

// placed are the options that a process is started with.
type placed struct {
	Directory  directory.Settings
	Base, File string
}

func servePersister(where string) int {
	var p placed
	err := json.Unmarshal([]byte(where), &p)
	if err == nil {
		var store *ldapstore.Store
		if store, err = ldapstore.Open(context.Background(), ldapstore.Options{Directory: p.Directory, Base: p.Base, File: p.File, Uses: uses}); err == nil {
			err = plugin.Serve(plugin.ServeConfig{Persister: store})
			_ = store.Close()
		}
	}
	if err != nil {
		plugin.Logger().Error("the persister ends", "error", err)
		return 1
	}
	return 0
}

// file is the admin's file for the suite: its attributes hold keys, and a username is free again soon.
const file = `keys: {email: [mail], phone: [mobile], unique: [departmentNumber]}
username_hold: 1m
groups:
  staff: {dn: "cn=staff,ou=groups"}
  members: {dn: "cn=members,ou=groups"}
`

// names are the attributes and groups of that file.
func names(kind string) plugintest.Names {
	n := plugintest.DefaultNames()
	if kind == testenv.ActiveDirectory { // users of a domain have one description, whatever the schema says
		n.Notes = "url"
	}
	n.Unique, n.Groups = "departmentNumber", []string{"staff", "members"}
	n.Typed = nil
	return n
}

// groups are those of the file.
const groups = `dn: cn=staff,ou=groups,BASE
changetype: add
objectClass: groupOfNames
cn: staff
member: cn=nobody,BASE

dn: cn=members,ou=groups,BASE
changetype: add
objectClass: groupOfNames
cn: members
member: cn=nobody,BASE
`

// lenient takes from the password policy what would refuse the suite's passwords, or lock after its wrong ones.
const lenient = `
dn: cn=default,ou=policies,BASE
changetype: modify
replace: pwdMinLength
-
replace: pwdMaxFailure
-
replace: pwdInHistory
`

const lenientDomain = `
dn: BASE
changetype: modify
replace: pwdProperties
pwdProperties: 0
-
replace: minPwdLength
minPwdLength: 0
-
replace: pwdHistoryLength
pwdHistoryLength: 0
-
replace: minPwdAge
minPwdAge: 0
`

const domainGroups = `dn: CN=staff,OU=groups,BASE
changetype: add
objectClass: group
sAMAccountName: staff

dn: CN=members,OU=groups,BASE
changetype: add
objectClass: group
sAMAccountName: members
`

// prepared starts a directory and loads what the doctor prints, as an admin does.
func prepared(t *testing.T, kind testenv.DirectoryKind, options ...testenv.DirectoryOption) ldapstore.Options {
	t.Helper()
	return preparedFor(t, kind, nil, options...)
}

// preparedFor grants some capabilities only; none: all.
func preparedFor(t *testing.T, kind testenv.DirectoryKind, granted []doctor.Capability, options ...testenv.DirectoryOption) ldapstore.Options {
	t.Helper()
	if kind.Kind == testenv.OpenLDAP {
		options = append(options, testenv.WithPasswordPolicy(), testenv.WithMemberOf(), testenv.WithIndexes("entryCSN"))
	}
	d := kind.Start(t, options...)
	o := at(t, d)
	entries := groups
	if kind.Kind == testenv.ActiveDirectory {
		entries = domainGroups
	}
	switch kind.Kind {
	case testenv.OpenLDAP:
		entries += lenient
	case testenv.ActiveDirectory:
		entries += lenientDomain
	}
	d.Load(t, strings.ReplaceAll(entries, "BASE", d.Base))
	plan, err := doctor.Learn(t.Context(), doctor.Config{Connection: o.Directory, Base: directory.DN(o.Base), File: o.File, Uses: uses, Capabilities: granted})
	if err != nil {
		t.Fatal(err)
	}
	ldif, err := plan.Print(doctor.FormatLDIF)
	if err != nil {
		t.Fatal(err)
	}
	d.Load(t, ldif)
	settle(t, d)
	return o
}

// settle waits until a server takes writes again: 389 takes none while it makes an index.
func settle(t *testing.T, d *testenv.Directory) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if d.Kind != testenv.DS389 {
			return
		}
		out, err := d.LDAPSearchAs(d.AdminDN, d.AdminPassword, "cn=tasks,cn=config", "(&(nsTaskStatus=*)(!(nsTaskExitCode=*)))", "1.1")
		if err == nil && !strings.Contains(out, "dn:") { // a task that has ended may not have let go yet
			_, err = d.LDAPModify(d.AdminDN, d.AdminPassword, "dn: "+d.People+"\nchangetype: modify\nreplace: description\n")
			if err == nil {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("the directory does not come to rest: %v\n%s", err, out)
		}
	}
}

// uses are the attributes of the suite.
var uses = []plugin.AttributeUse{
	{Item: "uid", Attribute: "uid", Type: plugin.TypeString, Required: true, Key: plugin.KindUsername},
	{Item: "mail", Attribute: "mail", Type: plugin.TypeString, Required: true, Key: plugin.KindEmail},
	{Item: "mobile", Attribute: "mobile", Type: plugin.TypeString, Key: plugin.KindPhone},
	{Item: "unique", Attribute: "departmentNumber", Type: plugin.TypeString, Key: plugin.KindUnique},
	{Item: "givenName", Attribute: "givenName", Type: plugin.TypeString, Required: true},
	{Item: "sn", Attribute: "sn", Type: plugin.TypeString, Required: true},
	{Item: "description", Attribute: "description", Type: plugin.TypeString},
	{Item: "url", Attribute: "url", Type: plugin.TypeString},
	{Item: "password", Type: plugin.TypeString, Required: true},
}

// at are the options for a directory.
func at(t *testing.T, d *testenv.Directory) ldapstore.Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return ldapstore.Options{
		Directory: directory.Settings{URL: d.URL, BindDN: d.ServiceDN, Password: d.ServicePassword, CAFile: d.CAFile, Connections: 16},
		Base:      d.Base, File: path, Uses: uses,
	}
}

func open(t *testing.T, o ldapstore.Options) *ldapstore.Store {
	t.Helper()
	o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := ldapstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// process starts a persister of its own.
func process(t *testing.T, o ldapstore.Options) *plugin.Host {
	t.Helper()
	where, err := json.Marshal(placed{o.Directory, o.Base, o.File})
	if err != nil {
		t.Fatal(err)
	}
	host, err := plugin.Open(t.Context(), plugin.OpenConfig{Env: []string{place + "=" + string(where)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}

// suite are the options of the conformance suite for a directory.
func suite(kind string) []plugintest.Option {
	all := []plugintest.Option{plugintest.Use(names(kind)), plugintest.Without(plugin.CapLister), plugintest.HoldsDeletedUsernames()}
	if kind != testenv.OpenLDAP { // OpenLDAP alone hashes what it gets by RFC 3062, whatever it looks like
		all = append(all, plugintest.RefusesPasswords())
	}
	return all
}

// backend is the store itself, without a connection.
func backend(t *testing.T, store *ldapstore.Store) plugin.Backend {
	t.Helper()
	b, err := plugin.Of(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheContractIsKept(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			store := open(t, prepared(t, kind))
			if kind.Kind == testenv.ActiveDirectory { // slow: over gRPC, the process below has it
				plugintest.RunBackend(t, func(t *testing.T) plugin.Backend { return backend(t, store) }, append(suite(kind.Kind), plugintest.Direct())...)
				return
			}
			plugintest.Run(t, func(*testing.T) plugin.Persister { return store }, suite(kind.Kind)...)
		})
	}
}

// The process has the directory itself for a reader, too.
func TestTheContractIsKeptByAProcess(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			o := prepared(t, kind)
			o.File = withReaders(t, o.Directory.URL)
			host := process(t, o)
			plugintest.RunBackend(t, func(*testing.T) plugin.Backend { return host.Backend() }, suite(kind.Kind)...)
		})
	}
}
