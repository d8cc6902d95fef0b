package ldapstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestAReadThatIsRefusedIsNoAbsence has the server refuse each request of each call that reads: nobody is told that an
// account is not there, or that a password is wrong, because a server had a limit, pointed elsewhere or was busy.
func TestAReadThatIsRefusedIsNoAbsence(t *testing.T) {
	t.Parallel()
	d, o := preparedSlapd(t)
	p := startProxy(t, d)
	o.Directory.URL, o.Directory.ClearText = "ldap://"+p.Addr().String(), true
	store := open(t, o)
	a := newcomer("refused")
	made, err := store.Create(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	settled(t, d, func() bool { return false })
	unknown := plugin.Key{Kind: plugin.KindEmail, Canonical: "1:nobody@example.org", Value: "nobody@example.org", Attribute: "mail", Login: true}
	calls := map[string]func(context.Context, *ldapstore.Store) error{
		"Get":              func(ctx context.Context, s *ldapstore.Store) error { _, err := s.Get(ctx, made.ID); return err },
		"Lookup":           func(ctx context.Context, s *ldapstore.Store) error { _, err := s.Lookup(ctx, a.Keys[1]); return err },
		"Lookup of nobody": func(ctx context.Context, s *ldapstore.Store) error { _, err := s.Lookup(ctx, unknown); return err },
		"Authenticate": func(ctx context.Context, s *ldapstore.Store) error {
			_, err := s.Authenticate(ctx, a.Keys[1], a.Password)
			return err
		},
		"Authenticate with a wrong one": func(ctx context.Context, s *ldapstore.Store) error {
			_, err := s.Authenticate(ctx, a.Keys[1], plugin.NewSecret("wrong"))
			return err
		},
		"Statuses": func(ctx context.Context, s *ldapstore.Store) error {
			_, err := s.Statuses(ctx, []plugin.ID{made.ID})
			return err
		},
		"Resolve": func(ctx context.Context, s *ldapstore.Store) error {
			_, err := s.Resolve(ctx, a.Attempt, a.Keys)
			return err
		},
		"Resolve of what was never begun": func(ctx context.Context, s *ldapstore.Store) error {
			_, err := s.Resolve(ctx, newcomer("never").Attempt, []plugin.Key{unknown})
			return err
		},
		"Ping": func(ctx context.Context, s *ldapstore.Store) error { return s.Ping(ctx) },
	}
	codes := map[string]int{"the time limit": 3, "the size limit": 4, "another server": 10, "the admin's limit": 11, "no right": 50, "busy": 51, "unavailable": 52, "unwilling": 53, "an error of its own": 80}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			sound := call(t.Context(), store)
			for what, code := range codes {
				for n := 1; ; n++ {
					p.arm(n, spoil{code})
					err := call(t.Context(), store)
					hit := p.hit()
					p.arm(0, spoil{})
					if !hit {
						if n == 1 {
							t.Error("it asks nothing")
						}
						break
					}
					again := code == 51 && fmt.Sprint(err) == fmt.Sprint(sound) // it was asked once more
					if !errors.Is(err, plugin.ErrUnavailable) && !again {
						t.Errorf("request %d meets %s, and the caller is told: %v", n, what, err)
					}
				}
			}
		})
	}
}

// shut are the ways in which a directory's admin shuts an account; what the product itself does is in the conformance suite.
func shut(kind string) map[string]string {
	return map[string]map[string]string{
		testenv.OpenLDAP: {
			"locked for good": "pwdAccountLockedTime: 000001010000Z", "locked a moment ago": "pwdAccountLockedTime: " + time.Now().UTC().Add(-time.Minute).Format("20060102150405Z"), "not open yet": "pwdStartTime: 20990101000000Z",
			"over": "pwdEndTime: 20200101000000Z", "the password must be changed": "pwdReset: TRUE",
			"a hash of no known scheme": "userPassword: {NOSUCH}" + soundPassword, "a hash of nothing": "userPassword: {SSHA}", "a scheme alone": "userPassword: {CLEARTEXT}",
		},
		testenv.DS389: {"inactivated": "nsAccountLock: true", "too many wrong passwords": "accountUnlockTime: 20990101000000Z\npasswordRetryCount: 99"},
		testenv.ActiveDirectory: {
			"disabled": "userAccountControl: 514", "over": "accountExpires: 132223104000000000", "the password must be changed": "pwdLastSet: 0",
		},
	}[kind]
}

// shutByHand shuts accounts as an admin does: the right password is refused then in the words of a wrong one.
func (g guarded) shutByHand(t *testing.T) {
	switch g.Kind {
	case testenv.OpenLDAP:
		g.Load(t, replacing("cn=default,ou=policies,"+g.Base, "pwdMustChange: TRUE\npwdLockout: TRUE\npwdLockoutDuration: 86400"))
	case testenv.DS389:
		g.Load(t, replacing("cn=config", "passwordLockout: on"))
	}
	i := 0
	for what, values := range shut(g.Kind) {
		i++
		a, dn := g.somebody(t, fmt.Sprintf("shut%d", i))
		_, wrong := g.store.Authenticate(t.Context(), a.Keys[0], plugin.NewSecret("another long sentence"))
		g.Load(t, replacing(dn, values))
		for _, key := range a.Keys {
			_, err := g.store.Authenticate(t.Context(), key, a.Password)
			if !errors.Is(err, plugin.ErrDenied) || wrong == nil || err.Error() != wrong.Error() {
				t.Errorf("%s: the right password is answered %v, a wrong one %v", what, err, wrong)
			}
		}
	}
}

// replacing is LDIF that gives an entry the values, each written as in an entry.
func replacing(dn, values string) string {
	ldif := "dn: " + dn + "\nchangetype: modify\n"
	for line := range strings.Lines(values + "\n") {
		attribute, _, _ := strings.Cut(line, ":")
		ldif += "replace: " + attribute + "\n" + line + "-\n"
	}
	return ldif
}
