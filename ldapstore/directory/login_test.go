package directory_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

const (
	rightPassword = "Right-password-7"
	otherPassword = "Other-password-7"
)

func TestLogins(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
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
	}
}

// TestLoginsWithoutAnAnswer: nobody is let in, and nobody is told that the password was wrong.
func TestLoginsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(c net.Conn, id int64){
		"closes":                  func(c net.Conn, _ int64) { c.Close() },
		"hangs":                   func(c net.Conn, _ int64) { hang(c) },
		"answers another request": func(c net.Conn, id int64) { _, _ = c.Write(result(id+1, ldap.ApplicationBindResponse, 0)) },
		"answers another kind":    func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationAddResponse, 0)) },
		"is busy":                 func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationBindResponse, 51)) },
		"refers":                  func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationBindResponse, 10)) },
		"wants more of SASL":      func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationBindResponse, 14)) },
		"sends a broken control": func(c net.Conn, id int64) {
			_, _ = c.Write(withPolicy(id, 0, "\x30\x03\x81\x01\x7f"))
		},
		"sends half a control": func(c net.Conn, id int64) { _, _ = c.Write(withPolicy(id, 0, "\x30\x80")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := loginAt(t, answer)
			if got != directory.LoginDenied || !errors.Is(err, directory.ErrUnreachable) && !errors.Is(err, directory.ErrUnanswered) || directory.Refused(err) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// TestPasswordPolicyControls: what the control says counts more than the result code
// (draft-behera-ldap-password-policy-10, section 6.2).
func TestPasswordPolicyControls(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule  string
		code  int
		value string
		want  directory.Login
	}{
		{"nothing to tell", 0, "\x30\x00", directory.LoginGranted},
		{"it will expire", 0, "\x30\x05\xa0\x03\x80\x01\x3c", directory.LoginGranted},
		{"a grace login", 0, "\x30\x05\xa0\x03\x81\x01\x02", directory.LoginExpired},
		{"the last grace login", 0, "\x30\x05\xa0\x03\x81\x01\x00", directory.LoginExpired},
		{"expired", 49, "\x30\x03\x81\x01\x00", directory.LoginExpired},
		{"expired, and yet success", 0, "\x30\x03\x81\x01\x00", directory.LoginExpired},
		{"locked", 49, "\x30\x03\x81\x01\x01", directory.LoginLocked},
		{"locked, and yet success", 0, "\x30\x03\x81\x01\x01", directory.LoginLocked},
		{"change after reset", 0, "\x30\x03\x81\x01\x02", directory.LoginExpired},
		{"an error about something else", 0, "\x30\x03\x81\x01\x08", directory.LoginDenied},
	}
	for _, test := range tests {
		got, asked, err := loginAt(t, func(c net.Conn, id int64) { _, _ = c.Write(withPolicy(id, test.code, test.value)) })
		if got != test.want || err != nil || asked != 1 {
			t.Errorf("%s: %v, %v after %d binds", test.rule, got, err, asked)
		}
	}
}

// loginAt tries to log in at a server that answers with answer.
func loginAt(t *testing.T, answer func(c net.Conn, id int64)) (login directory.Login, binds int64, err error) {
	t.Helper()
	var asked atomic.Int64
	server := startFault(t, func(c net.Conn) {
		for {
			packet, err := ber.ReadPacket(c)
			if err != nil {
				return
			}
			id, operation := packet.Children[0].Value.(int64), packet.Children[1]
			switch {
			case operation.Tag == ldap.ApplicationSearchRequest: // the rootDSE
				_, _ = c.Write(append(found(id, "", "x"), result(id, ldap.ApplicationSearchResultDone, 0)...))
			case operation.Children[1].Value == "cn=svc":
				_, _ = c.Write(result(id, ldap.ApplicationBindResponse, 0))
			default:
				asked.Add(1)
				answer(c, id)
			}
		}
	})
	login, err = open(t, server.settings()).Authenticate(t.Context(), somebody, rightPassword)
	return login, asked.Load(), err
}

// withPolicy is an answer to a bind with a password policy control.
func withPolicy(id int64, code int, value string) []byte {
	control := ber.NewSequence("")
	control.AppendChild(text(ldap.ControlTypeBeheraPasswordPolicy))
	control.AppendChild(text(value))
	all := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	all.AppendChild(control)
	m := ber.DecodePacket(result(id, ldap.ApplicationBindResponse, code))
	m.AppendChild(all)
	return m.Bytes()
}
