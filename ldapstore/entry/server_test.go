package entry_test

import (
	"errors"
	"fmt"
	"slices"
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
		return d, l.Refusal(err, attributes)
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

const labFile = `people: {object_classes: [inetOrgPerson, posixAccount]}
attributes: {family: sn}
constants: {loginShell: /bin/sh, o: [Example, Org]}
templates:
  cn: "{{givenName}} {{family}}"
  gecos: "{{ascii:givenName}} {{ascii:family}}"
  departmentNumber: "{{nobodyEntersThis}}"
  employeeType: "{{now:date}} {{lower:family}}"
keys: {unique: [carLicense]}
groups:
  staff: {dn: "cn=staff,ou=groups"}
  unix: {dn: "cn=unix,ou=groups", kind: posixGroup}
default_groups: [staff]
`

const labGroups = `dn: cn=staff,ou=groups,BASE
changetype: add
objectClass: groupOfNames
cn: staff
member: cn=nobody,BASE

dn: cn=unix,ou=groups,BASE
changetype: add
objectClass: posixGroup
cn: unix
gidNumber: 100
`

const domainFile = `attributes: {family: sn}
constants: {company: Example, otherTelephone: ["1", "2"]}
templates:
  displayName: "{{givenName}} {{family}}"
  department: "{{nobodyEntersThis}}"
  employeeType: "{{now:date}} {{lower:family}}"
keys: {unique: [carLicense]}
groups:
  staff: {dn: "CN=staff,OU=groups"}
  unix: {dn: "CN=unix,OU=groups"}
default_groups: [staff]
`

const domainGroups = `dn: CN=staff,OU=groups,BASE
changetype: add
objectClass: group
sAMAccountName: staff

dn: CN=unix,OU=groups,BASE
changetype: add
objectClass: group
sAMAccountName: unix
`

func TestEntryOnServers(t *testing.T) {
	for _, kind := range []testenv.DirectoryKind{
		{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd}, {Kind: testenv.DS389, Start: testenv.StartDS389}, {Kind: testenv.ActiveDirectory, Start: testenv.StartSamba},
	} {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			file, groups := labFile, labGroups
			if kind.Kind == testenv.ActiveDirectory {
				file, groups = domainFile, domainGroups
			}
			l := start(t, kind, file)
			l.dir.Load(t, strings.ReplaceAll(groups, "BASE", l.dir.Base))
			l.whole(t)
			l.locks(t, "locked")
			if kind.Kind == testenv.OpenLDAP {
				byPolicy := *l
				byPolicy.Settings, _ = entry.Decode("f", []byte(labFile+"lock: {method: pwdAccountLockedTime}\n"), l.server.Kind, directory.DN(l.dir.Base))
				byPolicy.locks(t, "lockedbypolicy")
			}
			l.withoutPassword(t)
			l.groups(t)
			l.changes(t)
			l.keys(t)
			l.refusals(t)
			l.oddNames(t)
			l.schema(t)
			l.numbers(t)
		})
	}
}

func (l *lab) whole(t *testing.T) {
	t.Run("an account becomes one entry, complete, that binds, and reads back", func(t *testing.T) {
		a := account("ada")
		numbers, err := entry.NewAllocator(l.Settings, l.server, l.admin).Next(t.Context())
		must(t, err)
		d, err := l.create(t, a, numbers)
		must(t, err)
		e := l.read(t, d.DN)
		for name, want := range l.expected() {
			if got := slices.Sorted(slices.Values(e.Values(name))); !slices.Equal(got, want) {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if who, err := l.dir.LDAPWhoAmI(string(d.DN), a.Password.Reveal()); err != nil || !strings.Contains(who, "ada") {
			t.Errorf("whoami as the new person: %q, %v", who, err)
		}
		if shown := l.dir.LDAPSearch(t, string(d.DN), "(objectClass=*)", "userPassword"); strings.Contains(shown, a.Password.Reveal()) {
			t.Error("the password is stored in clear")
		}
		got := l.parse(t, d.DN)
		want := a.Account(got.ID, got.CreatedAt)
		for name, values := range want.Attributes {
			if !slices.Equal(got.Attributes[name], values) {
				t.Errorf("%s reads back as %q, want %q", name, got.Attributes[name], values)
			}
		}
		if got.Username != "ada" || got.State.Locked || time.Since(got.CreatedAt).Abs() > time.Minute || len(got.Attributes["userPassword"]) > 0 || len(got.Attributes[l.Mark]) > 0 {
			t.Errorf("the entry reads back as %+v", got)
		}
		if status := l.Status(got.ID, e, time.Now()); !status.Usable {
			t.Errorf("the status is %+v", status)
		}
	})
}

// expected is what the entry of the first account has.
func (l *lab) expected() map[string][]string {
	kind := time.Now().UTC().Format(time.DateOnly) + " løvelace"
	if l.server.Kind == directory.ActiveDirectory {
		return map[string][]string{
			"cn": {"ada"}, "sAMAccountName": {"ada"}, "userPrincipalName": {"ada@lab.test"}, "sn": {"Løvelace"}, "displayName": {"Ada Løvelace"},
			"company": {"Example"}, "otherTelephone": {"1", "2"}, "userAccountControl": {"512"}, "department": nil, "employeeType": {kind},
		}
	}
	return map[string][]string{
		"cn": {"Ada Løvelace"}, "uid": {"ada"}, "sn": {"Løvelace"}, "gecos": {"Ada Lovelace"}, "o": {"Example", "Org"}, "loginShell": {"/bin/sh"},
		"uidNumber": {"10000"}, "gidNumber": {"10000"}, "homeDirectory": {"/home/ada"}, "departmentNumber": nil, "employeeType": {kind},
	}
}

func (l *lab) locks(t *testing.T, name string) {
	t.Run(string(l.Lock.Method)+": a locked account stays locked through its creation, and both states can be set twice", func(t *testing.T) {
		a := account(name)
		a.State = plugin.State{Locked: true}
		d, err := l.create(t, a, map[string]int64{"uidNumber": 20_000})
		must(t, err)
		for round, lock := range []bool{true, false, false, true, true, false} {
			if round > 0 {
				must(t, l.admin.Modify(t.Context(), d.DN, l.LockChanges(l.read(t, d.DN), plugin.State{Locked: lock}), directory.Filter{}))
			}
			_, err := l.dir.LDAPWhoAmI(string(d.DN), a.Password.Reveal())
			if got := l.parse(t, d.DN).State.Locked; got != lock || (err != nil) != lock {
				t.Errorf("round %d: locked reads as %v, the bind says %v, want locked %v", round, got, err, lock)
			}
		}
	})
}

func (l *lab) withoutPassword(t *testing.T) {
	t.Run("an account without a password is not usable until it gets one", func(t *testing.T) {
		a := account("unset")
		a.Password = plugin.Secret{}
		d, err := l.create(t, a, map[string]int64{"uidNumber": 20_005})
		must(t, err)
		usable := func() bool {
			found, err := l.admin.Search(t.Context(), d.DN, directory.Base, l.WithPassword(), 0, l.ReadAttributes()...)
			must(t, err)
			return len(found) == 1 && l.Usable(found[0], time.Now())
		}
		if usable() || l.parse(t, d.DN).State.Locked {
			t.Errorf("before: usable %v, %+v", usable(), l.parse(t, d.DN).State)
		}
		must(t, l.admin.SetPassword(t.Context(), d.DN, "Thirsty fjord by 4 quick howls"))
		if _, err := l.dir.LDAPWhoAmI(string(d.DN), "Thirsty fjord by 4 quick howls"); err != nil || !usable() {
			t.Errorf("afterwards: usable %v, the bind says %v", usable(), err)
		}
	})
}

func (l *lab) groups(t *testing.T) {
	t.Run("joining and leaving a group twice is harmless", func(t *testing.T) {
		d, err := l.create(t, account("member"), map[string]int64{"uidNumber": 20_001})
		must(t, err)
		if !slices.Equal(d.Groups, []string{"staff"}) {
			t.Errorf("the groups to join are %q", d.Groups)
		}
		m := entry.Member{DN: d.DN, ID: l.parse(t, d.DN).ID, Username: "member"}
		for _, name := range []string{"staff", "unix"} {
			for range 2 {
				must(t, l.Join(t.Context(), l.admin, name, m))
			}
			if shown := l.dir.LDAPSearch(t, string(l.groupDN(name)), "(|(member="+string(d.DN)+")(memberUid=member))"); !strings.Contains(shown, "cn: "+name) {
				t.Errorf("%s has no such member:\n%s", name, shown)
			}
			for range 2 {
				must(t, l.Leave(t.Context(), l.admin, name, m))
			}
			if shown := l.dir.LDAPSearch(t, string(l.groupDN(name)), "(|(member="+string(d.DN)+")(memberUid=member))"); strings.Contains(shown, "cn: "+name) {
				t.Errorf("%s still has the member", name)
			}
		}
		if err := l.Join(t.Context(), l.admin, "unknown", m); !errors.Is(err, plugin.ErrInvalid) {
			t.Errorf("joining an unknown group: %v", err)
		}
	})
}

func (l *lab) groupDN(name string) directory.DN { return l.Groups[name].DN }

func (l *lab) changes(t *testing.T) {
	t.Run("a change replaces what was read, and meets a conflict otherwise", func(t *testing.T) {
		several := "description"
		if l.server.Kind == directory.ActiveDirectory {
			several = "otherMobile"
		}
		a := account("changing")
		a.Attributes[several] = []plugin.Value{plugin.StringValue("Ada")}
		d, err := l.create(t, a, map[string]int64{"uidNumber": 20_002})
		must(t, err)
		text := func(values ...string) (all []plugin.Value) {
			for _, v := range values {
				all = append(all, plugin.StringValue(v))
			}
			return all
		}
		change := func(from, to []plugin.Value) map[string]plugin.AttributeChange {
			return map[string]plugin.AttributeChange{several: {Old: from, New: to}}
		}
		before := l.read(t, d.DN)
		first, err := l.AttributeChanges(change(text("Ada"), text("Grace", "Ada")), before)
		must(t, err)
		late, err := l.AttributeChanges(change(text("Ada"), text("Late")), before)
		must(t, err)
		late = append(late, l.MarkChanges(before, "run-late")...)
		must(t, l.admin.Modify(t.Context(), d.DN, append(first, l.MarkChanges(before, "run-1")...), directory.Filter{}))
		if err := l.admin.Modify(t.Context(), d.DN, late, directory.Filter{}); !directory.Refused(err, directory.NoSuchAttribute) {
			t.Errorf("a late change: %v", err)
		}
		if _, err := l.AttributeChanges(change(text("Ada"), text("Late")), l.read(t, d.DN)); !errors.Is(err, plugin.ErrConflict) {
			t.Errorf("a change of another value: %v", err)
		}
		if got := l.parse(t, d.DN).Attributes[several]; len(got) != 2 {
			t.Errorf("%s is %q", several, got)
		}
		removed, err := l.AttributeChanges(change(text("Ada", "Grace"), nil), l.read(t, d.DN))
		must(t, err)
		must(t, l.admin.Modify(t.Context(), d.DN, removed, directory.Filter{}))
		for _, name := range []string{"uid", "mail", "uidNumber", "userPassword", l.Mark, "loginShell", "objectClass"} {
			_, err := l.AttributeChanges(map[string]plugin.AttributeChange{name: {New: text("x")}}, l.read(t, d.DN))
			if field := (*plugin.FieldError)(nil); !errors.As(err, &field) || field.Code != plugin.CodeReadOnly {
				t.Errorf("a change of %s: %v", name, err)
			}
		}
	})
}

// refusal spoils an account that the server refuses then, and names the field to blame.
type refusal struct {
	spoil func(*plugin.NewAccount)
	field string
}

func (l *lab) keys(t *testing.T) {
	t.Run("an account is found by its keys alone, whatever characters they have, and one key takes another's place", func(t *testing.T) {
		a := account("keys")
		a.Keys[1].Value = "o'neil*(x)@example.org"
		d, err := l.create(t, a, map[string]int64{"uidNumber": 20_004})
		must(t, err)
		found := func(k plugin.Key) int {
			entries, err := l.service.Search(t.Context(), l.People.Base, directory.Subtree, l.Holding(k), 0, "1.1")
			must(t, err)
			return len(entries)
		}
		upper, star, wrongKind, added := a.Keys[1], a.Keys[1], a.Keys[1], a.Keys[1]
		upper.Value, star.Value, wrongKind.Kind, added.Value = "O'NEIL*(X)@EXAMPLE.ORG", "o'neil*", plugin.KindPhone, "new@example.org"
		if found(a.Keys[0]) != 1 || found(a.Keys[1]) != 1 || found(upper) != 1 || found(star) != 0 || found(wrongKind) != 0 || found(added) != 0 {
			t.Error("a key finds what it should not, or not what it should")
		}
		changes, err := l.KeyChanges(l.read(t, d.DN), &upper, &added)
		must(t, err)
		must(t, l.admin.Modify(t.Context(), d.DN, changes, directory.Filter{}))
		if found(a.Keys[1]) != 0 || found(added) != 1 {
			t.Error("the key has not changed")
		}
		if err := l.admin.Modify(t.Context(), d.DN, changes, directory.Filter{}); !directory.Refused(err, directory.NoSuchAttribute) {
			t.Errorf("the same change again: %v", err)
		}
		if _, err := l.KeyChanges(directory.Entry{}, nil, &a.Keys[0]); !errors.Is(err, plugin.ErrInvalid) {
			t.Errorf("a change of the username: %v", err)
		}
	})
}

func (l *lab) refusals(t *testing.T) {
	text := func(field, text string) refusal {
		return refusal{func(a *plugin.NewAccount) { a.Attributes[field] = []plugin.Value{plugin.StringValue(text)} }, field}
	}
	cases := map[string]refusal{
		"a password that the policy refuses is the password's fault": {func(a *plugin.NewAccount) { a.Password = plugin.NewSecret("ab") }, plugin.PasswordField},
	}
	if l.server.Kind == directory.ActiveDirectory {
		cases["a text that is too long is its field's fault"] = text("givenName", strings.Repeat("x", 65))
		cases["an attribute that the classes do not allow is blamed"] = text("groupType", "2")
	} else {
		cases["an address that the syntax refuses is its field's fault"] = refusal{func(a *plugin.NewAccount) { a.Keys[1].Value = "jürgen@example.org" }, "mail"}
		cases["a text that the syntax refuses is its field's fault"] = text("telephoneNumber", "#!")
		cases["an attribute that the classes do not allow is blamed"] = text("dNSDomain", "x")
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			a := account("refused")
			c.spoil(&a)
			_, err := l.create(t, a, map[string]int64{"uidNumber": 20_003})
			if field := (*plugin.FieldError)(nil); !errors.As(err, &field) || field.Field != c.field || !errors.Is(err, plugin.ErrInvalid) {
				t.Errorf("the error is %v", err)
			}
			if left := l.dir.LDAPSearch(t, l.dir.Pending, "(|(uid=refused)(sAMAccountName=refused))", "mail"); strings.Contains(left, "mail: ") {
				t.Errorf("something is left behind:\n%s", left)
			}
		})
	}
}

func (l *lab) oddNames(t *testing.T) {
	t.Run("a username with any character names one entry right below people", func(t *testing.T) {
		for i, name := range []string{
			"a,ou=groups", "a+mail=x", `a"b`, `a\b`, "#hash", "a=b", "a;b", "a<b>c", " blank", "*", "(uid=*)", `a\2cb`, strings.Repeat("x", 64), strings.Repeat("y", 65),
			"new\nline", "objectClass: account\ncn: x",
		} {
			a := account("x")
			a.Keys[0].Value = name
			a.Keys[1].Value = fmt.Sprintf("odd%d@example.org", i)
			d, err := l.create(t, a, map[string]int64{"uidNumber": int64(30_000 + i)})
			if errors.Is(err, plugin.ErrInvalid) {
				continue // the home directory or a line of passwd would break
			}
			must(t, err)
			if !d.DN.Parent().Equal(l.People.Base) {
				t.Errorf("%q stands at %q", name, d.DN)
			}
			if got := l.parse(t, d.DN).Username; got != name {
				t.Errorf("%q reads back as %q", name, got)
			}
		}
	})
}
