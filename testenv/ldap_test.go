package testenv_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// directorySettings are those of a sidecar that keeps accounts in d, with the service account's password in a file.
func directorySettings(t *testing.T, d *testenv.Directory) []string {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(d.ServicePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"NARTHEX_PERSISTER=ldap", "NARTHEX_LDAP_URL=" + d.URL, "NARTHEX_LDAP_BASE=" + d.Base, "NARTHEX_LDAP_BIND_DN=" + d.ServiceDN,
		"NARTHEX_LDAP_BIND_PASSWORD_FILE=" + password, "NARTHEX_LDAP_CA_FILE=" + d.CAFile}
}

// preparedDirectory starts a slapd as its admin has it, and loads what the doctor prints for it, word for word.
func preparedDirectory(t *testing.T) (*testenv.Directory, []string) {
	t.Helper()
	d := testenv.StartSlapd(t, testenv.WithPasswordPolicy(), testenv.WithIndexes("entryCSN"))
	env := directorySettings(t, d)
	d.Load(t, doctorLDIF(t, env))
	return d, env
}

// doctorLDIF is what the doctor prints for a directory's admin.
func doctorLDIF(t *testing.T, env []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Binary(t), "directory", "check", "--ldif")
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("directory check --ldif: %v\n%s", err, errs.String())
	}
	return out.String()
}

// TestARegistrationMakesOneEntryThatBinds is what an admin sees: one complete entry, by ldapsearch, that binds, by
// ldapwhoami.
func TestARegistrationMakesOneEntryThatBinds(t *testing.T) {
	t.Parallel()
	d, env := preparedDirectory(t)
	s := testenv.Start(t, env...)
	c := testenv.NewClient(s.URL)
	r, err := c.Register(victim, s.Code)
	if err != nil {
		t.Fatal(err)
	}
	entry := d.LDAPSearch(t, d.People, "(mail="+victim.Email+")")
	if strings.Count(entry, "dn: ") != 1 {
		t.Fatalf("the directory has\n%s", entry)
	}
	dn, _, _ := strings.Cut(strings.SplitN(entry, "dn: ", 2)[1], "\n")
	for _, want := range []string{"uid: " + r.Account.Username, "mail: " + victim.Email, "givenName: " + victim.GivenName, "sn: " + victim.FamilyName, "cn: " + victim.GivenName + " " + victim.FamilyName, "objectClass: inetOrgPerson"} {
		if !strings.Contains(entry, want+"\n") {
			t.Errorf("the entry lacks %q:\n%s", want, entry)
		}
	}
	if who, err := d.LDAPWhoAmI(dn, victim.Password); err != nil || !strings.Contains(who, dn) {
		t.Errorf("ldapwhoami as the new person: %s %v", who, err)
	}
	if _, err := d.LDAPWhoAmI(dn, "not "+victim.Password); err == nil {
		t.Error("another password binds")
	}
	for _, name := range []string{victim.Email, strings.ToUpper(victim.Email), r.Account.Username} {
		if r, err := c.Login(name, victim.Password); err != nil || r.Status != http.StatusOK {
			t.Errorf("login as %s: %d %s %v", name, r.Status, r.Raw, err)
		}
	}
	for name, password := range map[string]string{victim.Email: "not " + victim.Password, "nobody@example.org": victim.Password} {
		if r, err := c.Login(name, password); err != nil || r.Status != http.StatusUnauthorized {
			t.Errorf("login as %s: %d %s %v", name, r.Status, r.Raw, err)
		}
	}
}

var errStopped = errors.New("nobody waits for this code any more")

// codeUntil waits for codes until stop: a sidecar that was killed sends none.
func codeUntil(stop <-chan struct{}, s *testenv.Sidecar) func(string) (string, error) {
	type answer struct {
		code string
		err  error
	}
	return func(to string) (string, error) {
		got := make(chan answer, 1)
		go func() {
			code, err := s.Code(to)
			got <- answer{code, err}
		}()
		select {
		case a := <-got:
			return a.code, a.err
		case <-stop:
			return "", errStopped
		}
	}
}

// TestPeopleOfADirectoryOutliveTheirSidecars kills persister and sidecar while people register. Afterwards every answer
// that was given holds, there is no half account, and every address is on one entry.
func TestPeopleOfADirectoryOutliveTheirSidecars(t *testing.T) {
	t.Parallel()
	d, env := preparedDirectory(t)
	env = append(env, "NARTHEX_DATA_DIR="+filepath.Join(t.TempDir(), "data"))
	s := testenv.Start(t, env...)
	var mu sync.Mutex
	var registered []testenv.Person
	var n atomic.Int64
	for range 3 {
		stop := make(chan struct{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for c := testenv.NewClient(s.URL); ; {
					select {
					case <-stop:
						return
					default:
					}
					p := testenv.Person{Email: fmt.Sprintf("person%d@example.org", n.Add(1)), GivenName: "Ada", FamilyName: "Lovelace", Password: victim.Password}
					if _, err := c.Register(p, codeUntil(stop, s)); err == nil {
						mu.Lock()
						registered = append(registered, p)
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(700 * time.Millisecond)
		if persister := s.Persister(); persister > 0 {
			_ = syscall.Kill(persister, syscall.SIGKILL)
		}
		time.Sleep(500 * time.Millisecond)
		s.Kill()
		close(stop)
		all.Wait()
		s = testenv.Start(t, env...)
	}
	if len(registered) == 0 {
		t.Fatal("nobody has registered")
	}
	for _, p := range registered {
		if found := strings.Count(d.LDAPSearch(t, d.People, "(mail="+p.Email+")", "1.1"), "dn: "); found != 1 {
			t.Errorf("%s is on %d entries", p.Email, found)
		}
		if r, err := testenv.NewClient(s.URL).Login(p.Email, p.Password); err != nil || r.Status != http.StatusOK {
			t.Errorf("%s, who was answered, cannot log in: %d %s %v", p.Email, r.Status, r.Raw, err)
		}
	}
	t.Logf("%d people have registered", len(registered))
}
