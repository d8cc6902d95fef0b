package ldapstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

const soundPassword = "Thirsty fjord by 4 quick howls"

// newcomer is somebody with a username and an address of their own.
func newcomer(name string) plugin.NewAccount {
	return plugin.NewAccount{
		Attempt: plugin.Attempt(fmt.Sprintf("%032x", attempts.Add(1))), NotAfter: time.Now().Add(15 * time.Second),
		Keys: []plugin.Key{
			{Kind: plugin.KindUsername, Canonical: "1:" + name, Value: name, Attribute: "uid", Login: true},
			{Kind: plugin.KindEmail, Canonical: "1:" + name + "@example.org", Value: name + "@example.org", Attribute: "mail", Login: true},
		},
		Attributes: plugin.Attributes{"givenName": {plugin.StringValue("Ada")}, "sn": {plugin.StringValue("Lovelace")}},
		Password:   plugin.NewSecret(soundPassword),
	}
}

var attempts atomic.Int64

// preparedSlapd is prepared, with the server itself.
func preparedSlapd(t *testing.T, options ...testenv.DirectoryOption) (*testenv.Directory, ldapstore.Options) {
	t.Helper()
	var d *testenv.Directory
	o := prepared(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: func(t testing.TB, more ...testenv.DirectoryOption) *testenv.Directory {
		d = testenv.StartSlapd(t, append(more, options...)...)
		return d
	}})
	return d, o
}

// TestOneRequestThatFailsLeavesNoHalfAccount has each request of a creation fail in turn, the first, the second, and so
// on. What the caller is told is true, nobody sees half an account, and the same attempt then makes the one account.
func TestOneRequestThatFailsLeavesNoHalfAccount(t *testing.T) {
	t.Parallel()
	d, o := preparedSlapd(t)
	p := startProxy(t, d)
	through := o
	through.Directory.URL, through.Directory.ClearText = "ldap://"+p.Addr().String(), true
	spoiling := open(t, through)
	for what, s := range map[string]spoil{
		"its answer is lost": answerLost, "the server is busy": {51}, "the server will not": {53}, "the server has an error of its own": {80},
	} {
		t.Run(what, func(t *testing.T) {
			for n := 1; ; n++ {
				a := newcomer(fmt.Sprintf("spoiled%d-%d", s.code, n))
				p.arm(n, s)
				_, err := spoiling.Create(t.Context(), a)
				settled(t, d, p.hit)
				hit := p.hit()
				p.arm(0, s)
				endsWell(t, d, spoiling, a, err)
				if t.Failed() {
					t.Fatalf("at request %d", n)
				}
				if !hit {
					if n < 8 {
						t.Errorf("a creation has %d requests", n-1)
					}
					break
				}
			}
		})
	}
}

// killer kills slapd before the nth request from when it is armed.
type killer struct {
	server *testenv.Directory
	mu     sync.Mutex
	in     int    // 0: not armed
	before string // the request
}

func (k *killer) arm(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.in, k.before = n, ""
}

func (k *killer) hook(_ context.Context, op directory.Operation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.in > 0 {
		if k.in--; k.in == 0 {
			k.before = op.Name
			k.server.Kill()
		}
	}
	return nil
}

// struck returns the request before which the killer has struck.
func (k *killer) struck() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.before
}

// settled waits until something has happened, or nothing of a creation is open any more: it is closed after the answer.
func settled(t *testing.T, d *testenv.Directory, happened func() bool) {
	t.Helper()
	for !happened() {
		if open, err := d.LDAPSearchAs(d.AdminDN, d.AdminPassword, d.Identifiers, "(ou=open)", "1.1"); err == nil && open == "" {
			return
		}
	}
}

// TestAServerThatIsKilledAtAnyRequestLeavesNoHalfAccount kills slapd itself before each request of a creation, among them
// the one between the entry and its password, and starts it again on what is left.
func TestAServerThatIsKilledAtAnyRequestLeavesNoHalfAccount(t *testing.T) {
	t.Parallel()
	d, o := preparedSlapd(t)
	k := &killer{server: d}
	o.Hook = k.hook
	store := open(t, o)
	struck := map[string]int{}
	// What is closed behind answers shifts the count of requests now and then: what was missed is met in another pass.
	for pass := 0; struck["add"] < 3 || struck["password"] == 0 || struck["move"] == 0 || struck["modify"] < 3; pass++ {
		if pass == 3 {
			t.Fatalf("it was killed before %v", struck)
		}
		for n := 1; ; n++ {
			a := newcomer(fmt.Sprintf("killed%dx%d", pass, n))
			k.arm(n)
			_, err := store.Create(t.Context(), a)
			settled(t, d, func() bool { return k.struck() != "" })
			before := k.struck()
			if before == "" {
				break
			}
			struck[before]++
			d.Restart(t)
			reached(t, store)
			endsWell(t, d, store, a, err)
			if t.Failed() {
				t.Fatalf("killed before request %d, %s", n, before)
			}
		}
	}
}

// reached waits until the store knows that its server is back: after failures it leaves a server alone for a while.
func reached(t *testing.T, store *ldapstore.Store) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := store.Ping(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the server is back, and the store does not reach it: %v", err)
		}
	}
}

// endsWell judges what a creation that failed has left, repeats it, and judges again.
func endsWell(t *testing.T, d *testenv.Directory, store *ldapstore.Store, a plugin.NewAccount, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, plugin.ErrUnavailable) && !errors.Is(err, plugin.ErrUnknownOutcome) {
		t.Errorf("the caller is told %v", err)
	}
	if dn := seen(t, d, a); dn == "" && err == nil {
		t.Error("the caller was told that the account is there, and it is not")
	} else if dn != "" { // whoever is seen is complete
		if _, err := d.LDAPWhoAmI(dn, soundPassword); err != nil {
			t.Errorf("half an account is there: %v", err)
		}
	}
	for end := time.Now().Add(30 * time.Second); err != nil; time.Sleep(50 * time.Millisecond) {
		a.NotAfter = time.Now().Add(15 * time.Second)
		if _, err = store.Create(t.Context(), a); err != nil && time.Now().After(end) {
			t.Fatalf("the same attempt again: %v", err)
		}
	}
	if seen(t, d, a) == "" {
		t.Error("the account is not there")
	}
	if _, err := store.Authenticate(t.Context(), a.Keys[1], a.Password); err != nil {
		t.Errorf("its owner cannot log in: %v", err)
	}
	other := newcomer("other")
	other.Keys[1] = a.Keys[1]
	other.Keys[0].Canonical, other.Keys[0].Value = "1:other-"+string(other.Attempt), "other-"+string(other.Attempt)
	if _, err := store.Create(t.Context(), other); !errors.Is(err, plugin.ErrExists) {
		t.Errorf("somebody else wants the address: %v", err)
	}
	for more := true; more; {
		report, err := store.Maintain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		more = report.More
	}
	if left := d.LDAPSearch(t, d.Pending, "(sn=*)", "1.1"); strings.Contains(left, "-") {
		t.Errorf("something is left behind:\n%s", left)
	}
	if left := d.LDAPSearch(t, d.Identifiers, "(ou=open)", "description"); left != "" {
		t.Errorf("a claim stays open:\n%s", left)
	}
}

// seen is the name of the one entry that has the address, as anybody else sees it who may read people.
func seen(t *testing.T, d *testenv.Directory, a plugin.NewAccount) string {
	t.Helper()
	found, err := d.LDAPSearchAs(d.PlainDN, d.PlainPassword, d.Base, "(|(mail="+a.Keys[1].Value+")(uid="+a.Keys[0].Value+"))", "mail")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(found, "dn: ") > 1 {
		t.Errorf("several entries have %s:\n%s", a.Keys[1].Value, found)
	}
	dn, _, _ := strings.Cut(strings.TrimPrefix(found, "dn: "), "\n")
	return dn
}
