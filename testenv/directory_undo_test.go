package testenv_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// groupsOfPages are what the examples of the pages expect to be there.
var groupsOfPages = map[string]string{
	testenv.OpenLDAP: `dn: cn=members,ou=groups,BASE
objectClass: groupOfNames
cn: members
member: BASE

dn: cn=shell,ou=groups,BASE
objectClass: posixGroup
cn: shell
gidNumber: 5000
`,
	testenv.DS389: `dn: cn=members,ou=groups,BASE
objectClass: groupOfUniqueNames
cn: members
`,
	testenv.ActiveDirectory: `dn: OU=Customers,BASE
objectClass: organizationalUnit

dn: CN=Members,OU=Groups,BASE
objectClass: group
`,
}

// TestWhatAnAdminLoadsIsTakenAwayAgain follows the page of each directory server to its end, with the example that is
// there: the doctor has nothing to say; afterwards nothing is granted that was not before, and people stay.
func TestWhatAnAdminLoadsIsTakenAwayAgain(t *testing.T) {
	t.Parallel()
	pages := map[string]string{testenv.OpenLDAP: "openldap", testenv.DS389: "389ds", testenv.ActiveDirectory: "active-directory"}
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			var options []testenv.DirectoryOption
			if kind.Kind == testenv.OpenLDAP {
				options = append(options, testenv.WithIndexes("entryCSN"))
			}
			d := kind.Start(t, options...)
			d.Load(t, strings.ReplaceAll(groupsOfPages[kind.Kind], "BASE", d.Base))
			a := &admin{T: t, directory: d, folder: t.TempDir(), page: "../docs/directory/" + pages[kind.Kind] + ".md"}
			env := append(directorySettings(t, d), "NARTHEX_PERSISTER_CONFIG="+a.example())
			before := a.granted()
			if kind.Kind == testenv.ActiveDirectory {
				a.follow("before", "PEOPLE", "OU=Customers,"+d.Base)
				a.follow("before", "PEOPLE", "CN=Members,OU=Groups,"+d.Base)
			}
			ldif := doctorLDIF(t, env)
			d.Load(t, ldif)
			if err := os.WriteFile(filepath.Join(a.folder, "narthex.ldif"), []byte(ldif), 0o600); err != nil {
				t.Fatal(err)
			}
			if a.granted() == before {
				t.Fatal("nothing was granted")
			}
			s := testenv.Start(t, env...)
			person := victim
			person.Password = "A long & private sentence, number 7" // three kinds of characters, as a domain demands
			if _, err := testenv.NewClient(s.URL).Register(person, s.Code); err != nil {
				t.Fatal(err)
			}
			s.Terminate()
			check := exec.CommandContext(t.Context(), testenv.Binary(t), "directory", "check", "--renew-before", "1h")
			check.Env = append(testenv.BareEnvironment(), env...)
			if out, err := check.CombinedOutput(); err != nil || bytes.Contains(out, []byte("warn ")) {
				t.Errorf("the doctor, with the example of the page: %v\n%s", err, out)
			}

			a.follow("undo")
			if after := a.granted(); after != before {
				t.Errorf("granted was\n%s\nand is now\n%s", before, after)
			}
			if left := d.LDAPSearch(t, d.Base, "(ou=identifiers)", "1.1"); strings.Contains(left, "dn: ") {
				t.Errorf("there is still\n%s", left)
			}
			if found := d.LDAPSearch(t, d.Base, "(mail="+victim.Email+")", "1.1"); strings.Count(found, "dn: ") != 1 {
				t.Errorf("of the account is left\n%s", found)
			}
		})
	}
}

// admin follows a page.
type admin struct {
	*testing.T
	directory    *testenv.Directory
	folder, page string
}

// granted is all that the server keeps about rights.
func (a *admin) granted() string {
	a.Helper()
	if a.directory.Kind == testenv.OpenLDAP {
		return a.directory.LDAPSearch(a, "cn=config", "(olcSuffix=*)", "olcAccess", "olcLimits")
	}
	return a.directory.LDAPSearch(a, a.directory.Base, "(|(ou=customers)(cn=members)(objectClass=domain))", "aci", "nTSecurityDescriptor")
}

// block reads what stands in the page between a first line and the end of its block.
func (a *admin) block(first string) string {
	a.Helper()
	text, err := os.ReadFile(a.page)
	if err != nil {
		a.Fatal(err)
	}
	_, from, found := strings.Cut(string(text), "\n```"+first+"\n")
	inside, _, closed := strings.Cut(from, "\n```\n")
	if !found || !closed {
		a.Fatalf("%s has no %s", a.page, first)
	}
	return inside + "\n"
}

// example writes the page's file for the persister, and returns its path.
func (a *admin) example() string {
	a.Helper()
	file := filepath.Join(a.folder, "directory.yaml")
	text := strings.ReplaceAll(a.block("yaml "+a.directory.Kind), "ldaps://dc2.example.org", a.directory.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		a.Fatal(err)
	}
	return file
}

// follow runs the commands of the page that are marked with a word, with further names replaced by turns.
func (a *admin) follow(word string, names ...string) {
	a.Helper()
	d := a.directory
	names = append(names, "ldaps://HOST", d.URL, "-D ADMIN -W", "-D '"+d.AdminDN+"' -w '"+d.AdminPassword+"'", "dc=example,dc=org", d.Base)
	commands := strings.NewReplacer(names...).Replace(a.block("sh " + word))
	cmd := exec.CommandContext(a.Context(), "sh", "-ec", commands)
	cmd.Dir = a.folder
	cmd.Env = append(testenv.BareEnvironment(), "LDAPCONF=/dev/null", "LDAPTLS_CACERT="+d.CAFile, "LDAPTLS_REQCERT=demand")
	if out, err := cmd.CombinedOutput(); err != nil {
		a.Errorf("%s: %v\n%s", word, err, out)
	}
}
