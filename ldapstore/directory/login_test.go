package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

const (
	rightPassword = "Right-password-7"
	otherPassword = "Other-password-7"
)

func TestLogins(t *testing.T) {
	t.Parallel()
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			var options []testenv.DirectoryOption
			if kind.Kind == testenv.OpenLDAP {
				options = append(options, testenv.WithPasswordPolicy())
			}
			d := kind.Start(t, options...)
			pool := open(t, settingsOf(d))
			t.Run("only the password is right", func(t *testing.T) { onlyThePassword(t, d, pool) })
			t.Run("an account that must not be used is refused with the right password", func(t *testing.T) { standing(t, d, pool) })
			t.Run("a login leaves the service account's connections alone", func(t *testing.T) { stillService(t, d, pool) })
		})
	}
}

// newAccount makes an account that may log in.
func newAccount(t *testing.T, d *testenv.Directory, pool *directory.Pool, name string, more ...directory.Attribute) directory.DN {
	t.Helper()
	dn := directory.DN(d.People).Child("cn", name)
	attributes := append(person(d.Kind, name), more...)
	if d.Kind == testenv.ActiveDirectory {
		attributes = append(attributes, directory.Attribute{"sAMAccountName", []string{name}},
			directory.Attribute{"unicodePwd", []string{directory.UnicodePassword(rightPassword)}})
		if len(more) == 0 {
			attributes = append(attributes, directory.Attribute{"userAccountControl", []string{"512"}})
		}
	}
	if err := pool.Add(t.Context(), dn, attributes); err != nil {
		t.Fatal(err)
	}
	if err := pool.SetPassword(t.Context(), dn, rightPassword); err != nil {
		t.Fatal(err)
	}
	return dn
}

func login(t *testing.T, pool *directory.Pool, dn directory.DN, password string, want directory.Login) {
	t.Helper()
	if got, err := pool.Authenticate(t.Context(), dn, password); err != nil || got != want {
		t.Errorf("%s with %q: %v, %v, want %v", dn, password, got, err, want)
	}
}

func onlyThePassword(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	dn := newAccount(t, d, pool, "ada")
	login(t, pool, dn, rightPassword, directory.LoginGranted)
	login(t, pool, dn.Parent().Child("CN", "ADA"), rightPassword, directory.LoginGranted)
	for _, wrong := range []string{"", "\x00", rightPassword + "\x00", strings.ToUpper(rightPassword), rightPassword + " "} {
		login(t, pool, dn, wrong, directory.LoginDenied)
	}
	login(t, pool, "", rightPassword, directory.LoginDenied)
	login(t, pool, directory.DN(d.People).Child("cn", "nobody"), rightPassword, directory.LoginDenied)
	login(t, pool, directory.DN(d.People), rightPassword, directory.LoginDenied) // has no password
	if err := pool.SetPassword(t.Context(), dn, ""); !errors.Is(err, directory.ErrEmptyPassword) {
		t.Errorf("an empty password is set: %v", err)
	}
	setter := pool
	if d.Kind == testenv.DS389 { // its Directory Manager may store hashes, an ordinary account may not
		setter = passwordService(t, d)
	}
	for _, scheme := range []string{"{SSHA}x-Password-7", "{CRYPT}*-Password-7", "{SASL}ada@Lab.test-7"} {
		if err := setter.SetPassword(t.Context(), dn, scheme); err != nil {
			if d.Kind != testenv.DS389 || !directory.Refused(err, directory.ConstraintViolation) {
				t.Errorf("%s: %v", scheme, err)
			}
			continue
		}
		login(t, pool, dn, scheme, directory.LoginGranted)
	}
	// Active Directory lets the last password but one in for another hour, but none before that.
	if d.Kind != testenv.DS389 {
		login(t, pool, dn, rightPassword, directory.LoginDenied)
	}
	if d.Kind != testenv.ActiveDirectory {
		if stored := d.LDAPSearch(t, string(dn), "(objectClass=*)", "userPassword"); strings.Contains(stored, "userPassword: ") {
			t.Errorf("stored in clear: %s", stored)
		}
	}
}

// passwordService returns a pool of the service account, which may set passwords.
func passwordService(t *testing.T, d *testenv.Directory) *directory.Pool {
	t.Helper()
	d.Load(t, "dn: "+d.People+"\nchangetype: modify\nadd: aci\naci: (targetattr=\"userPassword\")(version 3.0; acl \"passwords\"; allow (write) userdn=\"ldap:///"+d.ServiceDN+"\";)\n")
	settings := settingsOf(d)
	settings.BindDN, settings.Password = d.ServiceDN, d.ServicePassword
	return open(t, settings)
}

// standing tries each way in which the kind of server shuts an account.
func standing(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	set := func(dn directory.DN, name string, values ...string) {
		t.Helper()
		change := []directory.Change{{directory.ReplaceValues, directory.Attribute{name, values}}}
		if err := pool.Modify(t.Context(), dn, change, directory.Filter{}); err != nil {
			t.Fatal(err)
		}
	}
	switch d.Kind {
	case testenv.OpenLDAP:
		dn := newAccount(t, d, pool, "open")
		policy(t, d, "pwdMustChange", "TRUE")
		set(dn, "pwdStartTime", "20990101000000Z")
		login(t, pool, dn, rightPassword, directory.LoginDenied) // slapd keeps to itself why, by default
		set(dn, "pwdStartTime")
		login(t, pool, dn, rightPassword, directory.LoginGranted)
		d.Load(t, "dn: olcOverlay={0}ppolicy,olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcPPolicyUseLockout\nolcPPolicyUseLockout: TRUE\n")
		set(dn, "pwdAccountLockedTime", "000001010000Z")
		login(t, pool, dn, rightPassword, directory.LoginLocked)
		login(t, pool, dn, otherPassword, directory.LoginLocked)
		set(dn, "pwdAccountLockedTime")
		set(dn, "pwdReset", "TRUE")
		login(t, pool, dn, rightPassword, directory.LoginExpired)
		login(t, pool, dn, otherPassword, directory.LoginDenied)
		set(dn, "pwdReset")
		login(t, pool, dn, rightPassword, directory.LoginGranted)
		policy(t, d, "pwdMustChange", "FALSE")
		graceLogins(t, d, pool)
	case testenv.DS389:
		dn := newAccount(t, d, pool, "open")
		set(dn, "nsAccountLock", "true")
		login(t, pool, dn, rightPassword, directory.LoginLocked)
		set(dn, "nsAccountLock")
		login(t, pool, dn, rightPassword, directory.LoginGranted)
	case testenv.ActiveDirectory:
		dn := newAccount(t, d, pool, "open")
		set(dn, "userAccountControl", "514")
		login(t, pool, dn, rightPassword, directory.LoginDisabled)
		login(t, pool, dn, otherPassword, directory.LoginDenied)
		set(dn, "userAccountControl", "512")
		login(t, pool, dn, rightPassword, directory.LoginGranted)
		set(dn, "accountExpires", "132000000000000000") // in 2019
		login(t, pool, dn, rightPassword, directory.LoginDisabled)
		set(dn, "accountExpires", "0")
		set(dn, "pwdLastSet", "0")
		login(t, pool, dn, rightPassword, directory.LoginExpired)
		login(t, pool, dn, otherPassword, directory.LoginDenied)
	}
}

// policy changes slapd's default policy for passwords.
func policy(t *testing.T, d *testenv.Directory, attribute, value string) {
	t.Helper()
	d.Load(t, fmt.Sprintf("dn: cn=default,ou=policies,%s\nchangetype: modify\nreplace: %s\n%s: %s\n", d.Base, attribute, attribute, value))
}

// graceLogins: a password that has expired lets nobody in, though the server would, a few times.
func graceLogins(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	policy(t, d, "pwdGraceAuthNLimit", "2")
	policy(t, d, "pwdMaxAge", "1")
	defer policy(t, d, "pwdMaxAge", "0")
	dn := newAccount(t, d, pool, "grace")
	eventually(t, func() bool {
		got, err := pool.Authenticate(t.Context(), dn, rightPassword)
		return err == nil && got == directory.LoginExpired
	})
	login(t, pool, dn, rightPassword, directory.LoginExpired)
	login(t, pool, dn, rightPassword, directory.LoginExpired) // no grace is left
	login(t, pool, dn, otherPassword, directory.LoginDenied)
}

func stillService(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	dn := newAccount(t, d, pool, "grace-hopper")
	for i := range 20 {
		login(t, pool, dn, rightPassword, directory.LoginGranted)
		if err := pool.Add(t.Context(), directory.DN(d.People).Child("cn", fmt.Sprint("by", i)), person(d.Kind, fmt.Sprint("by", i))); err != nil {
			t.Fatal(err)
		}
		name, err := pool.WhoAmI(t.Context())
		if d.Kind == testenv.ActiveDirectory && directory.Refused(err, directory.ProtocolError) {
			continue // Samba cannot tell
		}
		if err != nil || !strings.Contains(strings.ToLower(name), "admin") {
			t.Fatalf("the pool's connections belong to %q, %v", name, err)
		}
	}
}
