package testenv_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// directoryCrashPoints are the requests of a creation before which the persister is killed, and the writes around it
// before or after which the sidecar is. The first request for a password is for the decoy, when the persister starts.
var directoryCrashPoints = map[string]string{
	"ldapstore.add":        "persister", // the claim of the first name, which decides
	"ldapstore.add:2":      "persister", // the claim of the other name
	"ldapstore.add:3":      "persister", // the entry, staged
	"ldapstore.password:2": "persister", // its password
	"ldapstore.modify":     "persister", // the commit
	"ldapstore.move":       "persister", // into place
	"ldapstore.modify:2":   "persister", // the other claim is closed
	"flow.create.after":    "sidecar",
}

// TestKilledAtEveryWriteIntoADirectory is TestKilledAtEveryWrite where the accounts are in a directory: whoever dies, and
// wherever, the person gets one complete account, and no half one is left.
func TestKilledAtEveryWriteIntoADirectory(t *testing.T) {
	t.Parallel() // each waits half a minute, until the attempt may be executed again
	for point, victim := range directoryCrashPoints {
		t.Run(victim+"/"+point, func(t *testing.T) {
			t.Parallel()
			crash := &crashRun{T: t, point: point, victim: victim, marker: filepath.Join(t.TempDir(), "hit")}
			crash.directory, crash.directoryEnv = preparedDirectory(t)
			crash.run()
		})
	}
}

// holdsExactlyOneEntry looks into the directory itself: one account, complete, and nothing staged.
func (c *crashRun) holdsExactlyOneEntry(username string) {
	c.Helper()
	entry := c.directory.LDAPSearch(c, c.directory.People, "(objectClass=inetOrgPerson)")
	if n := strings.Count("\n"+entry, "\ndn: "); n != 1 {
		c.Fatalf("the directory holds %d accounts:\n%s", n, entry)
	}
	for _, want := range []string{"uid: " + username, "mail: " + victim.Email, "givenName: Ada", "sn: Lovelace"} {
		if !strings.Contains(entry, "\n"+want+"\n") {
			c.Errorf("the account lacks %q:\n%s", want, entry)
		}
	}
	dn, _, _ := strings.Cut(strings.TrimPrefix(entry, "dn: "), "\n")
	if who, err := c.directory.LDAPWhoAmI(dn, victim.Password); err != nil || !strings.EqualFold(who, dn) {
		c.Errorf("the account does not bind: %q, %v", who, err)
	}
	if staged := c.directory.LDAPSearch(c, c.directory.Pending, "(objectClass=inetOrgPerson)", "1.1"); staged != "" {
		c.Errorf("something is left behind:\n%s", staged)
	}
}

// TestAClientThatStaysAwayFindsTheAccountInTheDirectory kills the sidecar when the directory has the account and nobody
// knows. The client only looks, and the worker asks the directory what became of the attempt.
func TestAClientThatStaysAwayFindsTheAccountInTheDirectory(t *testing.T) {
	t.Parallel()
	c := &crashRun{T: t, point: "flow.create.after", victim: "sidecar", marker: filepath.Join(t.TempDir(), "hit")}
	c.directory, c.directoryEnv = preparedDirectory(t)
	c.begin()
	c.toPassword()
	if _, err := c.client.Items("password", map[string]any{"password": victim.Password}); err == nil {
		t.Fatal("the sidecar lives on")
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		r := c.show()
		if r.State == "completed" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("nobody settles the registration: %s\n%s", r.Raw, c.sidecar.Log())
		}
	}
	c.end()
}
