package entry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// lab is a server with the settings of a test, and what is needed to take an account through its life.
type lab struct {
	dir *testenv.Directory
	*entry.Settings
	server directory.Server
	// service is the sidecar's account, with the rights that it has in real life; admin looks and arranges.
	service, admin *directory.Pool
}

func start(t *testing.T, kind testenv.DirectoryKind, file string) *lab {
	t.Helper()
	options := []testenv.DirectoryOption{testenv.WithClaims()}
	if kind.Kind == testenv.OpenLDAP {
		options = append(options, testenv.WithPasswordPolicy(), testenv.WithMemberOf())
	}
	l := &lab{dir: kind.Start(t, options...)}
	if kind.Kind == testenv.DS389 {
		_, err := l.dir.LDAPModify(l.dir.AdminDN, l.dir.AdminPassword, "dn: cn=config\nchangetype: modify\nreplace: passwordCheckSyntax\npasswordCheckSyntax: on\n-\nreplace: passwordMinCategories\npasswordMinCategories: 1\n")
		must(t, err)
	}
	l.service, l.admin = l.open(t, l.dir.ServiceDN, l.dir.ServicePassword), l.open(t, l.dir.AdminDN, l.dir.AdminPassword)
	var err error
	l.server, err = l.admin.Server(t.Context())
	must(t, err)
	l.Settings, err = entry.Decode("directory.yaml", []byte(file), l.server.Kind, directory.DN(l.dir.Base))
	must(t, err)
	return l
}

func (l *lab) open(t *testing.T, dn, password string) *directory.Pool {
	t.Helper()
	pool, err := directory.Open(directory.Settings{URL: l.dir.URL, CAFile: l.dir.CAFile, BindDN: dn, Password: password})
	must(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// account returns a new account that collides with no other.
func account(name string) plugin.NewAccount {
	return plugin.NewAccount{
		Attempt: plugin.Attempt(strings.Repeat("0a", 16)), NotAfter: time.Now().Add(time.Minute),
		Keys: []plugin.Key{
			{Kind: plugin.KindUsername, Canonical: "1:" + name, Value: name, Attribute: "uid", Login: true},
			{Kind: plugin.KindEmail, Canonical: "1:" + name + "@example.org", Value: name + "@example.org", Attribute: "mail", Login: true},
		},
		Attributes: plugin.Attributes{"givenName": {plugin.StringValue("Ada")}, "family": {plugin.StringValue("Løvelace")}},
		Password:   plugin.NewSecret("Thirsty fjord by 4 quick howls"),
	}
}

// create stages an account, enables and moves it, as a creation does.
func (l *lab) create(t *testing.T, a plugin.NewAccount, numbers map[string]int64) (entry.Draft, error) {
	t.Helper()
	passwords := entry.NewPasswords(l.Settings)
	password, err := passwords.Staged(t.Context(), a.Password)
	must(t, err)
	d, err := l.Build(a, entry.Inputs{Run: fmt.Sprintf("%020x", time.Now().UnixNano()), Numbers: numbers, Password: password, Now: time.Now()})
	if err != nil {
		return d, err
	}
	at, attributes := l.Stage(d, fmt.Sprintf("%020x-%040x", time.Now().UnixNano(), 1))
	if err := l.service.Add(t.Context(), at, attributes); err != nil {
		return d, l.Refusal(err, d)
	}
	if passwords.Later() && !a.Password.Empty() {
		if err := l.service.SetPassword(t.Context(), at, a.Password.Reveal()); err != nil {
			must(t, l.service.Delete(t.Context(), at))
			return d, entry.PasswordRefusal(err)
		}
	}
	if changes := l.AfterPassword(d); changes != nil {
		must(t, l.service.Modify(t.Context(), at, changes, directory.Filter{}))
	}
	staged, err := l.service.Read(t.Context(), at, l.ReadAttributes()...)
	must(t, err)
	if _, err := l.dir.LDAPWhoAmI(string(at), a.Password.Reveal()); err == nil {
		t.Error("a staged entry can be bound with")
	}
	if changes := l.Enable(staged); changes != nil {
		must(t, l.service.Modify(t.Context(), at, changes, directory.Filter{}))
	}
	return d, l.service.Move(t.Context(), at, d.DN, true, directory.Filter{})
}

func (l *lab) read(t *testing.T, dn directory.DN) directory.Entry {
	t.Helper()
	e, err := l.admin.Read(t.Context(), dn, l.ReadAttributes()...)
	must(t, err)
	return e
}

func (l *lab) parse(t *testing.T, dn directory.DN) plugin.Account {
	t.Helper()
	a, err := l.Parse(l.read(t, dn), time.Now())
	must(t, err)
	must(t, a.Validate())
	return a
}
