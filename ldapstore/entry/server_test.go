package entry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/testenv"
)

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
			l.oddSearches(t)
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
		stored, err := l.admin.Read(t.Context(), d.DN, "userPassword", "unicodePwd")
		must(t, err)
		for _, one := range stored.Attributes {
			if !strings.HasPrefix(one.Values[0], "{") || strings.Contains(one.Values[0], a.Password.Reveal()) {
				t.Errorf("%s is stored in clear", one.Name)
			}
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
