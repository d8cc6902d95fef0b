package ldapstore_test

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// pair is a directory with a replica, a persister that may ask it, and another that does not.
type pair struct {
	writer, reader *testenv.Directory
	store, other   *ldapstore.Store
	ahead          atomic.Int64 // how far the store's clock is ahead
}

func startPair(t *testing.T) *pair {
	t.Helper()
	p := new(pair)
	options := []testenv.DirectoryOption{testenv.WithPasswordPolicy(), testenv.WithReplication()}
	kind := testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: func(t testing.TB, more ...testenv.DirectoryOption) *testenv.Directory {
		p.writer = testenv.StartSlapd(t, append(more, options...)...)
		return p.writer
	}}
	o := prepared(t, kind)
	o.Canonical = folded
	p.other = open(t, o)
	p.reader = p.writer.StartReplica(t, options...)
	o.Directory.CAFile = bundle(t, p.writer.CAFile, p.reader.CAFile)
	o.File = withReaders(t, p.reader.URL)
	o.Directory.RequestTimeout = 2 * time.Second
	o.Clock = func() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }
	p.store = open(t, o)
	return p
}

// bundle joins files of certificates.
func bundle(t *testing.T, files ...string) string {
	t.Helper()
	var all []byte
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func withReaders(t *testing.T, url string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(path, []byte(file+"readers: ["+url+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	firstPassword  = "Thirsty-fjord-4"
	secondPassword = "Hungry-meadow-9"
)

// register makes an account by one of the persisters.
func register(t *testing.T, by *ldapstore.Store, name string) plugin.Account {
	t.Helper()
	a, err := by.Create(t.Context(), registrant(name, byMail(name)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// registrant is somebody to register.
func registrant(name string, mail plugin.Key) plugin.NewAccount {
	attempt := make([]byte, 16)
	_, _ = rand.Read(attempt) // never fails (crypto/rand)
	return plugin.NewAccount{
		Attempt: plugin.Attempt(hex.EncodeToString(attempt)), NotAfter: time.Now().Add(plugin.CreateLifetime),
		Keys:       []plugin.Key{key(plugin.KindUsername, "uid", name), mail},
		Attributes: plugin.Attributes{"givenName": {plugin.StringValue("Ada")}, "sn": {plugin.StringValue("Lovelace")}},
		Password:   plugin.NewSecret(firstPassword),
	}
}

func byMail(name string) plugin.Key { return key(plugin.KindEmail, "mail", name+"@example.org") }

func rename(t *testing.T, by *ldapstore.Store, id plugin.ID, name string) {
	t.Helper()
	c := plugin.Change{Attributes: map[string]plugin.AttributeChange{"givenName": {Old: []plugin.Value{plugin.StringValue("Ada")}, New: []plugin.Value{plugin.StringValue(name)}}}}
	if _, err := by.Update(t.Context(), id, c); err != nil {
		t.Fatal(err)
	}
}

func given(a plugin.Account) string {
	if values := a.Attributes["givenName"]; len(values) == 1 {
		return values[0].Text
	}
	return ""
}

// shows waits until the store shows a given name, by id and by address.
func (p *pair) shows(t *testing.T, a plugin.Account, name string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		byID, errID := p.store.Get(t.Context(), a.ID)
		byKey, errKey := p.store.Lookup(t.Context(), byMail(a.Username))
		if errID == nil && errKey == nil && given(byID) == name && given(byKey) == name {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the store shows %q and %q: %v %v", given(byID), given(byKey), errID, errKey)
		}
	}
}

// login tries a password, and fails the test on any answer but yes and no.
func (p *pair) login(t *testing.T, name, password string) bool {
	t.Helper()
	a, err := p.store.Authenticate(t.Context(), byMail(name), plugin.NewSecret(password))
	if err != nil && !errors.Is(err, plugin.ErrDenied) {
		t.Fatalf("log in as %s: %v", name, err)
	}
	return err == nil && a.Username == name
}

// failures counts the wrong passwords that a server remembers of somebody.
func failures(t *testing.T, d *testenv.Directory, name string) int {
	t.Helper()
	return strings.Count(d.LDAPSearch(t, "uid="+name+","+d.People, "(objectClass=*)", "pwdFailureTime"), "pwdFailureTime: ")
}

// asked waits until the reader judges passwords.
func (p *pair) asked(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		there, here := failures(t, p.reader, name), failures(t, p.writer, name)
		if p.login(t, name, "wrong") {
			t.Fatal("a wrong password is good")
		}
		if failures(t, p.reader, name) > there && failures(t, p.writer, name) == here { // the writer's are replicated
			return
		}
		if time.Now().After(end) {
			t.Fatal("the reader is not asked")
		}
	}
}

// TestReaders lets a replica stand still while the directory goes on.
func TestReaders(t *testing.T) {
	p := startPair(t)
	p.writer.Load(t, "dn: cn=default,ou=policies,"+p.writer.Base+"\nchangetype: modify\nreplace: pwdMaxFailure\npwdMaxFailure: 99\n")
	ada, bob, eve := register(t, p.other, "ada"), register(t, p.other, "bob"), register(t, p.other, "eve")
	p.asked(t, "eve")
	p.reader.Lag(t)

	t.Run("they are asked", func(t *testing.T) {
		rename(t, p.other, ada.ID, "Augusta")
		p.shows(t, ada, "Ada")
	})
	t.Run("they judge passwords, and a wrong one is counted once", func(t *testing.T) {
		if !p.login(t, "ada", firstPassword) || p.login(t, "bob", "wrong") {
			t.Error("the passwords are judged wrongly")
		}
		if there, here := failures(t, p.reader, "bob"), failures(t, p.writer, "bob"); there != 1 || here != 0 {
			t.Errorf("counted are %d at the reader, %d at the writer", there, here)
		}
	})
	t.Run("who is not there yet is found at the writer", func(t *testing.T) {
		cleo := register(t, p.other, "cleo")
		if a, err := p.store.Get(t.Context(), cleo.ID); err != nil || a.Username != "cleo" {
			t.Errorf("by id: %v", err)
		}
		if a, err := p.store.Lookup(t.Context(), byMail("cleo")); err != nil || a.ID != cleo.ID {
			t.Errorf("by address: %v", err)
		}
		if !p.login(t, "cleo", firstPassword) || p.login(t, "cleo", "wrong") {
			t.Error("the password is judged wrongly")
		}
	})
	t.Run("a password that a reader does not have yet is good", func(t *testing.T) {
		if err := p.other.SetPassword(t.Context(), bob.ID, plugin.NewSecret(secondPassword)); err != nil {
			t.Fatal(err)
		}
		if !p.login(t, "bob", secondPassword) {
			t.Error("it is refused")
		}
	})
	t.Run("what the process itself has written it reads", func(t *testing.T) {
		dora := register(t, p.store, "dora")
		if !p.login(t, "dora", firstPassword) {
			t.Error("somebody who has just registered cannot log in")
		}
		rename(t, p.store, eve.ID, "Eva")
		if a, err := p.store.Get(t.Context(), eve.ID); err != nil || given(a) != "Eva" {
			t.Errorf("it reads %q: %v", given(a), err)
		}
		if err := p.store.SetPassword(t.Context(), eve.ID, plugin.NewSecret(secondPassword)); err != nil {
			t.Fatal(err)
		}
		if !p.login(t, "eve", secondPassword) || p.login(t, "eve", firstPassword) {
			t.Error("the password before is good still, or the new one is not")
		}
		if err := p.store.Delete(t.Context(), dora.ID); err != nil {
			t.Fatal(err)
		}
		if err := p.store.Delete(t.Context(), eve.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.Lookup(t.Context(), byMail("eve")); !errors.Is(err, plugin.ErrNotFound) || p.login(t, "eve", secondPassword) {
			t.Errorf("a deleted account is found: %v", err)
		}
	})
	t.Run("one that lags by more than a minute is not asked", func(t *testing.T) {
		lock := plugin.Change{State: &plugin.StateChange{New: plugin.State{Locked: true}}}
		if _, err := p.other.Update(t.Context(), ada.ID, lock); err != nil {
			t.Fatal(err)
		}
		if !p.login(t, "ada", firstPassword) {
			t.Error("the reader was not asked before: this shows nothing")
		}
		p.ahead.Store(int64(2 * time.Minute))
		if p.login(t, "ada", firstPassword) {
			t.Error("a locked account logs in two minutes later")
		}
		for range 20 { // whatever is found out meanwhile
			if a, err := p.store.Get(t.Context(), ada.ID); err != nil || given(a) != "Augusta" {
				t.Fatalf("it shows %q: %v", given(a), err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	t.Run("one that catches up is asked again, while the writer is down as well", func(t *testing.T) {
		p.reader.Follow(t, p.writer)
		p.ahead.Add(int64(3 * time.Minute)) // the changes of this process are settled
		fred := register(t, p.other, "fred")
		p.asked(t, "fred")
		p.writer.Stop()
		defer p.writer.Continue()
		if a, err := p.store.Get(t.Context(), fred.ID); err != nil || a.Username != "fred" {
			t.Errorf("by id: %v", err)
		}
		if !p.login(t, "fred", firstPassword) {
			t.Error("nobody can log in")
		}
		if _, err := p.store.Authenticate(t.Context(), byMail("fred"), plugin.NewSecret("wrong")); !errors.Is(err, plugin.ErrUnavailable) {
			t.Errorf("a wrong password: %v", err)
		}
		if _, err := p.store.Authenticate(t.Context(), byMail("nobody"), plugin.NewSecret("wrong")); !errors.Is(err, plugin.ErrUnavailable) {
			t.Errorf("a name that nobody has, which would tell who has one: %v", err)
		}
	})
	t.Run("the writer stands in for one that hangs", func(t *testing.T) {
		fred, err := p.other.Lookup(t.Context(), byMail("fred"))
		if err != nil {
			t.Fatal(err)
		}
		p.reader.Stop()
		defer p.reader.Continue()
		began := time.Now()
		for range 20 {
			if a, err := p.store.Get(t.Context(), fred.ID); err != nil || a.Username != "fred" {
				t.Fatalf("by id: %v", err)
			}
			if !p.login(t, "fred", firstPassword) {
				t.Fatal("nobody can log in")
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("forty requests take %v", took)
		}
	})
}
