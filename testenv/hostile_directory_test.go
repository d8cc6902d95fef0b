package testenv_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// failing is a sidecar whose directory fails.
type failing struct {
	*testing.T
	directory *testenv.Directory
	sidecar   *testenv.Sidecar
}

// waiting is somebody who has proved an address and is asked for a password.
type waiting struct {
	testenv.Person
	client *testenv.Client
}

// directoryFault is a way to fail, and how it ends.
type directoryFault struct {
	name string
	// reads tells that what is there can still be read.
	reads bool
	begin func(*failing) (end func())
}

var directoryFaults = []directoryFault{
	{"it refuses every write", true, func(f *failing) func() {
		f.directory.SetReadOnly(f, true)
		return func() { f.directory.SetReadOnly(f, false) }
	}},
	{"it sends whoever writes to another server", true, (*failing).refer},
	{"it is dead, and comes back", false, func(f *failing) func() {
		f.directory.Kill()
		return func() { f.directory.Restart(f) }
	}},
	{"something else answers in its place", false, (*failing).babble},
	{"it hangs", false, func(f *failing) func() {
		f.directory.Stop()
		return f.directory.Continue
	}},
}

// TestADirectoryThatFails has somebody finish a registration, and somebody else log in, while the directory fails. Nobody
// is told "done", nobody is told that a right password is wrong, nothing of the directory shows in an answer; and as soon
// as it works again, the same registration ends in one account.
func TestADirectoryThatFails(t *testing.T) {
	t.Parallel()
	d, env := preparedDirectory(t)
	s := testenv.Start(t, append(env, unlimited(t))...)
	if _, err := testenv.NewClient(s.URL).Register(victim, s.Code); err != nil {
		t.Fatal(err)
	}
	for i, fault := range directoryFaults {
		t.Run(fault.name, func(t *testing.T) {
			f := &failing{T: t, directory: d, sidecar: s}
			p := f.waiting(fmt.Sprintf("person%d@example.org", i))
			end := fault.begin(f)
			f.finishes(p, false)
			f.logsIn(fault.reads)
			end()
			f.finishes(p, true)
			f.logsIn(true)
			f.isOneAccount(p)
		})
	}
}

// waiting brings somebody to the last question.
func (f *failing) waiting(email string) waiting {
	f.Helper()
	p := waiting{testenv.Person{Email: email, GivenName: "Ada", FamilyName: "Lovelace", Password: victim.Password}, testenv.NewClient(f.sidecar.URL)}
	if _, err := p.client.Start(); err != nil {
		f.Fatal(err)
	}
	if _, err := p.client.Items("about-you", map[string]any{"email": p.Email, "given_name": p.GivenName, "family_name": p.FamilyName}); err != nil {
		f.Fatal(err)
	}
	code, err := f.sidecar.Code(p.Email)
	if err != nil {
		f.Fatal(err)
	}
	if r, err := p.client.Step("verify-email", map[string]any{"code": code}); err != nil || r.StepName() != "password" {
		f.Fatalf("verify-email: %d %s %v", r.Status, r.Raw, err)
	}
	return p
}

// finishes sends the password, and then asks the step to go on, as the answers say. Without a directory that works every
// answer must be "later"; with one, the registration must be completed in the end.
func (f *failing) finishes(p waiting, works bool) {
	f.Helper()
	r, err := p.client.Items("password", map[string]any{"password": p.Password})
	for end := time.Now().Add(90 * time.Second); err == nil && r.State != "completed"; time.Sleep(200 * time.Millisecond) {
		if r.Code == "unexpected_step" || r.StepName() == "persist" {
			r, err = p.client.Step("persist", map[string]any{})
			continue
		}
		f.tellsNothing(r)
		if r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			f.Fatalf("persisting answers %d %s", r.Status, r.Raw)
		}
		if !works {
			return
		}
		if time.Now().After(end) {
			f.Fatalf("the account is never made: %d %s\n%s", r.Status, r.Raw, f.sidecar.Log())
		}
		r, err = p.client.Step("persist", map[string]any{})
	}
	if err != nil || !works {
		f.Fatalf("persisting answers %d %s, %v", r.Status, r.Raw, err)
	}
}

// logsIn is the person who has an account already. While nothing can be read the answer is "later", and afterwards it is
// right again within the moment that a connection takes.
func (f *failing) logsIn(works bool) {
	f.Helper()
	c := testenv.NewClient(f.sidecar.URL)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r, err := c.Login(victim.Email, victim.Password)
		if err != nil {
			f.Fatal(err)
		}
		if r.Status == http.StatusOK && works {
			return
		}
		f.tellsNothing(r)
		if r.Status != http.StatusServiceUnavailable {
			f.Fatalf("a login answers %d %s", r.Status, r.Raw)
		}
		if !works {
			return
		}
		if time.Now().After(end) {
			f.Fatalf("nobody can log in any more\n%s", f.sidecar.Log())
		}
	}
}

// tellsNothing looks for anything that only the directory and its admin know.
func (f *failing) tellsNothing(r testenv.Reply) {
	f.Helper()
	for _, secret := range []string{f.directory.Base, "ou=", "cn=", "svc", "ldap", strings.TrimPrefix(f.directory.URL, "ldaps://")} {
		if strings.Contains(strings.ToLower(r.Raw), secret) {
			f.Errorf("an answer tells of the directory: %s", r.Raw)
		}
	}
}

// isOneAccount looks into the directory.
func (f *failing) isOneAccount(p waiting) {
	f.Helper()
	if found := f.directory.LDAPSearch(f, f.directory.Base, "(mail="+p.Email+")", "mail"); strings.Count(found, "dn: ") != 1 || !strings.Contains(found, ","+f.directory.People+"\n") {
		f.Errorf("the directory holds of %s:\n%s", p.Email, found)
	}
}

// babble answers at the directory's address with what no directory says.
func (f *failing) babble() (end func()) {
	f.directory.Kill()
	l := f.listen(strings.TrimPrefix(f.directory.URL, "ldaps://"), func(c net.Conn) {
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n0\x84\xff\xff\xff\xff"))
	})
	return func() {
		_ = l.Close()
		f.directory.Restart(f)
	}
}

// refer has the directory answer writes below ou=pending, and searches among people, with the address of another server,
// which must never hear of the service account.
func (f *failing) refer() (end func()) {
	var visits atomic.Int64
	l := f.listen("127.0.0.1:0", func(net.Conn) { visits.Add(1) })
	ref := "objectClass: referral\nobjectClass: extensibleObject\nref: ldap://" + l.Addr().String()
	elsewhere := "ou=elsewhere," + f.directory.People
	f.directory.Load(f, fmt.Sprintf("dn: %[1]s\nchangetype: delete\n\ndn: %[1]s\n%[2]s/ou=elsewhere\nou: pending\n\ndn: %[3]s\n%[2]s/ou=elsewhere\nou: elsewhere\n", f.directory.Pending, ref, elsewhere))
	return func() {
		const itself = "control: 2.16.840.1.113730.3.4.2 true\nchangetype: delete\n" // ManageDsaIT
		f.directory.Load(f, fmt.Sprintf("dn: %[1]s\n%[2]s\ndn: %[1]s\nobjectClass: organizationalUnit\nou: pending\n\ndn: %[3]s\n%[2]s", f.directory.Pending, itself, elsewhere))
		if n := visits.Load(); n > 0 {
			f.Errorf("%d connections went where the directory pointed", n)
		}
	}
}

// listen serves every connection until the listener is closed, or the test is over.
func (f *failing) listen(address string, serve func(net.Conn)) net.Listener {
	f.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			_ = c.Close()
		}
	}()
	return l
}
