package testenv_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/testenv"
)

func TestDirectoryServers(t *testing.T) {
	t.Parallel()
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			d := kind.Start(t, testenv.WithClaims())
			t.Logf("started in %v", time.Since(began))
			other := kind.Start(t) // beside it
			t.Run("takes its certificate's authority and address only", func(t *testing.T) { certificate(t, d, other) })
			t.Run("begins with a tree and accounts that bind", func(t *testing.T) { tree(t, d) })
			t.Run("gives the service account enough, and nothing below ou=identifiers to others", func(t *testing.T) { rights(t, d) })
			t.Run("may be made read-only", func(t *testing.T) { readOnly(t, d) })
			t.Run("keeps what it holds when it is killed", func(t *testing.T) { killed(t, d) })
			t.Run("hangs while it is stopped", func(t *testing.T) { stopped(t, d) })
			t.Run("stands beside another of its kind", func(t *testing.T) {
				if d.URL == other.URL {
					t.Errorf("both are at %s", d.URL)
				}
				if found := other.LDAPSearch(t, other.Base, "(|(ou=identifiers)(cn=Ada Lovelace))", "1.1"); strings.Contains(found, "dn:") {
					t.Errorf("the other one holds %s", found)
				}
			})
		})
	}
}

// trusting is what a client needs to speak TLS with d.
func trusting(t *testing.T, d *testenv.Directory) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(d.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", d.CAFile)
	}
	return &tls.Config{RootCAs: pool}
}

func certificate(t *testing.T, d, other *testenv.Directory) {
	c, err := ldap.DialURL(d.URL, ldap.DialWithTLSConfig(trusting(t, d)))
	if err != nil {
		t.Fatalf("LDAPS: %v", err)
	}
	defer c.Close()
	if err := c.Bind(d.ServiceDN, d.ServicePassword); err != nil {
		t.Errorf("bind over LDAPS: %v", err)
	}
	var unknown x509.UnknownAuthorityError
	if _, err := ldap.DialURL(d.URL, ldap.DialWithTLSConfig(trusting(t, other))); !errors.As(err, &unknown) {
		t.Errorf("with another authority: %v", err)
	}
	wrongName := trusting(t, d)
	wrongName.ServerName = "elsewhere.test"
	var host x509.HostnameError
	if _, err := ldap.DialURL(d.URL, ldap.DialWithTLSConfig(wrongName)); !errors.As(err, &host) {
		t.Errorf("with another name: %v", err)
	}

	clear, err := ldap.DialURL(d.StartTLSURL)
	if err != nil {
		t.Fatal(err)
	}
	defer clear.Close()
	config := trusting(t, d)
	config.ServerName = strings.Split(strings.TrimPrefix(d.StartTLSURL, "ldap://"), ":")[0]
	if err := clear.StartTLS(config); err != nil {
		t.Fatalf("StartTLS: %v", err)
	}
	if err := clear.Bind(d.ServiceDN, d.ServicePassword); err != nil {
		t.Errorf("bind after StartTLS: %v", err)
	}
}

func tree(t *testing.T, d *testenv.Directory) {
	for dn, password := range map[string]string{d.ServiceDN: d.ServicePassword, d.PlainDN: d.PlainPassword, d.AdminDN: d.AdminPassword} {
		if who, err := d.LDAPWhoAmI(dn, password); err != nil || who != dn {
			t.Errorf("%s is %q: %v", dn, who, err)
		}
		if _, err := d.LDAPWhoAmI(dn, password+"x"); err == nil || !strings.Contains(err.Error(), "(49)") {
			t.Errorf("%s with a wrong password: %v", dn, err)
		}
	}
	found := d.LDAPSearch(t, d.Base, "(objectClass=organizationalUnit)", "1.1")
	for _, dn := range []string{d.People, d.Groups, d.Identifiers, d.Pending} {
		if !strings.Contains(found, "dn: "+dn+"\n") {
			t.Errorf("%s is missing", dn)
		}
	}
}

func readOnly(t *testing.T, d *testenv.Directory) {
	if d.Kind == testenv.ActiveDirectory {
		return // which it may not
	}
	ldif := "dn: " + d.People + "\nchangetype: modify\nreplace: description\ndescription: x\n"
	d.SetReadOnly(t, true)
	if _, err := d.LDAPModify(d.AdminDN, d.AdminPassword, ldif); err == nil || !strings.Contains(err.Error(), "(53)") {
		t.Errorf("a write to a read-only server: %v", err)
	}
	d.SetReadOnly(t, false)
	d.Load(t, ldif)
}

func killed(t *testing.T, d *testenv.Directory) {
	before := d.LDAPSearch(t, d.People, "(objectClass=*)", "1.1")
	d.Kill()
	if _, err := d.LDAPWhoAmI(d.ServiceDN, d.ServicePassword); err == nil {
		t.Error("a killed server answers")
	}
	began := time.Now()
	d.Restart(t)
	t.Logf("started again in %v", time.Since(began))
	if after := d.LDAPSearch(t, d.People, "(objectClass=*)", "1.1"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func stopped(t *testing.T, d *testenv.Directory) {
	c, err := ldap.DialURL(d.URL, ldap.DialWithTLSConfig(trusting(t, d)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d.Stop()
	c.SetTimeout(100 * time.Millisecond)
	err = c.Bind(d.ServiceDN, d.ServicePassword)
	d.Continue()
	if !ldap.IsErrorWithCode(err, ldap.ErrorNetwork) {
		t.Errorf("a stopped server answers %v", err)
	}
	if _, err := d.LDAPWhoAmI(d.ServiceDN, d.ServicePassword); err != nil {
		t.Errorf("after that: %v", err)
	}
}
