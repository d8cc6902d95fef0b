package ldapstore_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// loggedLines keeps what is logged.
type loggedLines chan string

func (l loggedLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// told returns what was logged since.
func (l loggedLines) told() (all []string) {
	for {
		select {
		case line := <-l:
			all = append(all, line)
		default:
			return all
		}
	}
}

// TestEntriesThatShareAnAddressAreNobodyAndTheAdminIsTold has an admin give several people one address, before anybody is
// adopted: which of them is meant nobody knows.
func TestEntriesThatShareAnAddressAreNobodyAndTheAdminIsTold(t *testing.T) {
	t.Parallel()
	d, o := preparedSlapd(t)
	for i := range 3 {
		d.Load(t, fmt.Sprintf("dn: uid=twin%d,%s\nobjectClass: inetOrgPerson\nuid: twin%d\ncn: Twin\nsn: Twin\nuserPassword: %s%d\n", i, d.People, i, soundPassword, i))
	}
	log, later := make(loggedLines, 100), atomic.Int64{}
	o.Canonical, o.Log = folded, slog.New(slog.NewTextHandler(log, nil))
	o.Clock = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	store, err := ldapstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	shared := key(plugin.KindEmail, "mail", "shared@example.org")
	address := func(i int, value string) {
		d.Load(t, replacing(fmt.Sprintf("uid=twin%d,%s", i, d.People), "mail: "+value))
	}
	for n, spelling := range []string{"shared@example.org", "SHARED@example.org", "shared@EXAMPLE.org"} {
		address(n, spelling)
		if n == 0 {
			if a, err := store.Lookup(t.Context(), shared); err != nil || a.Username != "twin0" {
				t.Fatalf("before anybody shares it: %q, %v", a.Username, err)
			}
			continue
		}
		t.Run(fmt.Sprintf("%d entries", n+1), func(t *testing.T) {
			later.Add(int64(time.Hour))
			twins(t, d, store, shared, log, n+1)
		})
	}
	t.Run("and it is told again after a while", func(t *testing.T) {
		for _, told := range []int{0, 0, 1, 0} {
			_, _ = store.Lookup(t.Context(), shared)
			if got := log.told(); len(got) != told {
				t.Errorf("told %q", got)
			}
			later.Add(int64(31 * time.Second))
		}
	})
	address(1, "twin1@example.org")
	address(2, "twin2@example.org")
	if a, err := store.Authenticate(t.Context(), shared, plugin.NewSecret(soundPassword+"0")); err != nil || a.Username != "twin0" {
		t.Errorf("when nobody shares it any more: %q, %v", a.Username, err)
	}
}

// twins shows that nobody is found by what some entries share, that nothing happens to them, and what the log says.
func twins(t *testing.T, d *testenv.Directory, store *ldapstore.Store, shared plugin.Key, log loggedLines, people int) {
	t.Helper()
	all := func() string {
		return d.LDAPSearch(t, d.People, "(objectClass=*)", "*", "+") + d.LDAPSearch(t, d.Identifiers, "(!(cn=decoy))", "*", "+")
	}
	before := all()
	log.told()
	if a, err := store.Lookup(t.Context(), shared); !errors.Is(err, plugin.ErrNotFound) {
		t.Errorf("look it up: %q, %v", a.Username, err)
	}
	for i := range people {
		if a, err := store.Authenticate(t.Context(), shared, plugin.NewSecret(fmt.Sprint(soundPassword, i))); !errors.Is(err, plugin.ErrDenied) {
			t.Errorf("with the password of twin%d: %q, %v", i, a.Username, err)
		}
	}
	if after := all(); after != before {
		t.Errorf("there was\n%s\nand now there is\n%s", before, after)
	}
	said := log.told()
	if len(said) != 1 || !strings.Contains(said[0], "level=WARN") || strings.Contains(strings.ToLower(said[0]), "shared") {
		t.Errorf("the log says %q", said)
	}
	named := 0
	for i := range people {
		a, err := store.Authenticate(t.Context(), key(plugin.KindUsername, "uid", fmt.Sprintf("twin%d", i)), plugin.NewSecret(fmt.Sprint(soundPassword, i)))
		if err != nil {
			t.Errorf("twin%d by the username: %v", i, err)
		} else if strings.Contains(strings.Join(said, ""), string(a.ID)) {
			named++
		}
	}
	if named != 2 {
		t.Errorf("%d twins are named in %q", named, said)
	}
}
