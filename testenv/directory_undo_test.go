package testenv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// TestWhatAnAdminLoadsIsTakenAwayAgain follows the page of each directory server to its end: afterwards nothing is
// granted that was not before, and people stay.
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
			env := directorySettings(t, d)
			a := &admin{T: t, directory: d, folder: t.TempDir(), page: "../docs/directory/" + pages[kind.Kind] + ".md"}
			before := a.granted()
			if kind.Kind == testenv.ActiveDirectory {
				a.follow("before")
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

			a.follow("undo")
			if after := a.granted(); after != before {
				t.Errorf("granted was\n%s\nand is now\n%s", before, after)
			}
			if left := d.LDAPSearch(t, d.Base, "(ou=identifiers)", "1.1"); strings.Contains(left, "dn: ") {
				t.Errorf("there is still\n%s", left)
			}
			if found := d.LDAPSearch(t, d.People, "(mail="+victim.Email+")", "1.1"); strings.Count(found, "dn: ") != 1 {
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
	return a.directory.LDAPSearch(a, a.directory.Base, "(|(ou=people)(ou=groups)(objectClass=domain))", "aci", "nTSecurityDescriptor")
}

// follow runs the commands of the page that are marked with a word.
func (a *admin) follow(word string) {
	a.Helper()
	text, err := os.ReadFile(a.page)
	if err != nil {
		a.Fatal(err)
	}
	found := regexp.MustCompile("(?s)\n```sh " + word + "\n(.*?)\n```\n").FindSubmatch(text)
	if found == nil {
		a.Fatalf("%s has no commands for %s", a.page, word)
	}
	d := a.directory
	commands := strings.NewReplacer("ldaps://HOST", d.URL, "-D ADMIN -W", "-D '"+d.AdminDN+"' -w '"+d.AdminPassword+"'", "PEOPLE", d.People,
		"dc=example,dc=org", d.Base).Replace(string(found[1]))
	cmd := exec.CommandContext(a.Context(), "sh", "-ec", commands)
	cmd.Dir = a.folder
	cmd.Env = append(testenv.BareEnvironment(), "LDAPCONF=/dev/null", "LDAPTLS_CACERT="+d.CAFile, "LDAPTLS_REQCERT=demand")
	if out, err := cmd.CombinedOutput(); err != nil {
		a.Errorf("%s: %v\n%s", word, err, out)
	}
}
