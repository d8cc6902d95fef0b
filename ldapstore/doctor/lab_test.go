package doctor_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

const (
	posixFile = `people: {object_classes: [inetOrgPerson, posixAccount]}
groups:
  members: {dn: "cn=members,ou=groups"}
  unix: {dn: "cn=unix,ou=groups", kind: posixGroup}
default_groups: [members]
`
	domainFile = `groups: {members: {dn: "CN=members,OU=groups"}}
default_groups: [members]
`
	posixGroups = `dn: cn=members,ou=groups,BASE
changetype: add
objectClass: groupOfNames
cn: members
member: cn=nobody,BASE

dn: cn=unix,ou=groups,BASE
changetype: add
objectClass: posixGroup
cn: unix
gidNumber: 100
`
	domainGroups = `dn: CN=members,OU=groups,BASE
changetype: add
objectClass: group
sAMAccountName: members
`
	posixPerson = `dn: uid=ada,ou=people,BASE
changetype: add
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
mail: ada@example.org
userPassword: Thirsty-fjord-4
`
	domainPerson = `dn: CN=ada,OU=people,BASE
changetype: add
objectClass: user
sAMAccountName: ada
mail: ada@example.org
`
)

// uses is what a usual flow stores.
var uses = []plugin.AttributeUse{
	{Item: "username", Flow: "standard", Step: "username", Attribute: "uid", Type: plugin.TypeString, Required: true, Key: plugin.KindUsername},
	{Item: "email", Flow: "standard", Step: "about-you", Attribute: "mail", Type: plugin.TypeString, Required: true, Key: plugin.KindEmail},
	{Item: "given_name", Flow: "standard", Step: "about-you", Attribute: "givenName", Type: plugin.TypeString, Required: true},
	{Item: "family_name", Flow: "standard", Step: "about-you", Attribute: "sn", Type: plugin.TypeString, Required: true},
	{Item: "password", Flow: "standard", Step: "password", Type: plugin.TypeString, Required: true},
}

// lab is a directory as its admin had it before, with groups, and what the doctor is told of it.
type lab struct {
	*testenv.Directory
	doctor.Config
}

func start(t *testing.T, kind testenv.DirectoryKind, options ...testenv.DirectoryOption) *lab {
	t.Helper()
	file, groups := posixFile, posixGroups
	switch kind.Kind {
	case testenv.OpenLDAP:
		options = append([]testenv.DirectoryOption{testenv.WithIndexes("entryCSN"), testenv.WithPasswordPolicy()}, options...)
	case testenv.ActiveDirectory:
		file, groups = domainFile, domainGroups
	}
	l := &lab{Directory: kind.Start(t, options...)}
	l.Config = doctor.Config{
		Connection: directory.Settings{URL: l.URL, CAFile: l.CAFile, BindDN: l.ServiceDN, Password: l.ServicePassword},
		Base:       directory.DN(l.Directory.Base), Uses: uses,
		RenewBefore: time.Minute, // the servers' certificates last for a day
	}
	l.write(t, file)
	l.load(t, groups)
	return l
}

// write makes the persister's file.
func (l *lab) write(t *testing.T, text string) {
	t.Helper()
	l.File = filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(l.File, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// load applies LDIF as the admin.
func (l *lab) load(t *testing.T, ldif string) {
	t.Helper()
	l.Load(t, strings.ReplaceAll(ldif, "BASE", l.Directory.Base))
}

// person puts somebody into ou=people.
func (l *lab) person(t *testing.T) {
	t.Helper()
	if l.Kind == testenv.ActiveDirectory {
		l.load(t, domainPerson)
	} else {
		l.load(t, posixPerson)
	}
}

// plan is what the doctor prints for this server.
func (l *lab) plan(t *testing.T) doctor.Plan {
	t.Helper()
	p, err := doctor.Learn(t.Context(), l.Config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// prepare applies exactly what the doctor prints, with edit for what an admin gets wrong.
func (l *lab) prepare(t *testing.T, edit func(string) string) {
	t.Helper()
	text, err := l.plan(t).Print(doctor.FormatLDIF)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edited := edit(text)
		if edited == text {
			t.Fatalf("the edit changes nothing of\n%s", text)
		}
		text = edited
	}
	l.Load(t, text)
	for deadline := time.Now().Add(time.Minute); strings.Contains(text, "cn=index,cn=tasks"); time.Sleep(10 * time.Millisecond) {
		task, err := l.LDAPSearchAs(l.AdminDN, l.AdminPassword, "cn=narthex,cn=index,cn=tasks,cn=config", "(objectClass=*)", "nsTaskExitCode")
		if strings.Contains(task, "nsTaskExitCode: 0") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the indexes are not ready: %s %v", task, err)
		}
	}
}

// command is one that is printed for a Samba server.
var command = regexp.MustCompile(`(?m)^#     (samba-tool .*)$`)

// sambaTool runs a printed command as the domain's admin.
func (l *lab) sambaTool(t *testing.T, command string) {
	t.Helper()
	settings := filepath.Join(t.TempDir(), "smb.conf")
	if err := os.WriteFile(settings, []byte("[global]\n\ttls cafile = "+l.CAFile+"\n\ttls verify peer = ca_only\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command+" -H "+l.URL+" --simple-bind-dn="+l.AdminDN+" --password="+l.AdminPassword+" --configfile="+settings)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

func (l *lab) check(t *testing.T) doctor.Report {
	t.Helper()
	return doctor.Check(context.WithoutCancel(t.Context()), l.Config)
}

// bad returns the findings that are at least warnings.
func bad(r doctor.Report) (found doctor.Report) {
	for _, f := range r {
		if f.Level != doctor.Note {
			found = append(found, f)
		}
	}
	return found
}

// slaptest judges a slapd.conf.
func slaptest(t *testing.T, file string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "/usr/sbin/slaptest", "-u", "-f", file).CombinedOutput()
	return string(out), err
}
