package testenv_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// collecting is a flow that stores what directory-minded tests ask for: EXTRA is one more item.
const collecting = `default: standard
items:
  email:       {type: email, alias: true, required: true, attribute: mail}
  given_name:  {type: string, max: 64, required: true, attribute: givenName}
  family_name: {type: string, max: 64, required: true, attribute: sn}
  extra:       EXTRA
  password:    {type: password, required: true}
flows:
  standard:
    title: Create your account
    stealth: true
    steps:
      - data: {name: about-you, items: [email, given_name, family_name, extra]}
      - username: {generate: "u{alnum:11}"}
      - verify-email: {item: email}
      - data: {name: password, items: [password]}
      - persist: {}
`

// TestADirectoryThatCannotBeUsedStopsTheStartAndIsNamed starts sidecars that must not serve anybody. Each says what is
// wrong, for an admin who knows nothing else, and never the password.
func TestADirectoryThatCannotBeUsedStopsTheStartAndIsNamed(t *testing.T) {
	t.Parallel()
	d, env := preparedDirectory(t)
	bare := testenv.StartSlapd(t)
	flows := func(t *testing.T, extra string) string {
		return inFile(t, "NARTHEX_FLOWS", strings.Replace(collecting, "EXTRA", extra, 1))
	}
	// without takes a line of the rights away, for the rest of the directory's life.
	without := func(t *testing.T, rule string) {
		d.Load(t, "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcAccess\nolcAccess: {0}"+rule+"\n")
		t.Cleanup(func() {
			d.Load(t, "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\ndelete: olcAccess\nolcAccess: {0}\n")
		})
	}
	for _, c := range []struct {
		name string
		env  func(t *testing.T) []string
		says []string
	}{
		{"a service account without any right", func(t *testing.T) []string { return directorySettings(t, bare) }, []string{"cannot add claims", "directory check"}},
		{"a service account that may not stage entries", func(t *testing.T) []string {
			without(t, `to dn.base="`+d.Pending+`" attrs=children by dn.exact="`+d.ServiceDN+`" none by * break`)
			return env
		}, []string{"may not create accounts", "directory check", "ou=pending"}},
		{"a service account that may not move entries into place", func(t *testing.T) []string {
			without(t, `to dn.base="`+d.People+`" attrs=children by dn.exact="`+d.ServiceDN+`" none by * break`)
			return env
		}, []string{"may not create accounts", "directory check", "move"}},
		{"a schema that demands what nobody supplies", func(t *testing.T) []string {
			return append(env, inFile(t, "NARTHEX_PERSISTER_CONFIG", "people: {object_classes: [inetOrgPerson, domainRelatedObject]}\n"))
		}, []string{"associatedDomain", "nothing supplies it"}},
		{"a class that the schema does not have", func(t *testing.T) []string {
			return append(env, inFile(t, "NARTHEX_PERSISTER_CONFIG", "people: {object_classes: [inetOrgPerson, starshipOfficer]}\n"))
		}, []string{"starshipOfficer"}},
		{"an item whose attribute no class allows", func(t *testing.T) []string {
			return append(env, flows(t, "{type: string, max: 10, attribute: dNSRecord}"))
		}, []string{"dNSRecord", "extra"}},
		{"an item of a type that the directory cannot hold", func(t *testing.T) []string {
			return append(env, flows(t, "{type: boolean, attribute: description}"))
		}, []string{"extra", "boolean"}},
		{"a wrong password", func(t *testing.T) []string {
			return append(env, inFile(t, "NARTHEX_LDAP_BIND_PASSWORD_FILE", "wrong"))
		}, []string{"NARTHEX_LDAP_BIND_PASSWORD"}},
		{"a server that is not there", func(*testing.T) []string { return append(env, "NARTHEX_LDAP_URL=ldaps://127.0.0.1:1") }, []string{"NARTHEX_LDAP_URL"}},
		{"a server that never speaks", func(t *testing.T) []string { return append(env, "NARTHEX_LDAP_URL=ldaps://"+mute(t)) }, []string{"NARTHEX_LDAP_URL"}},
		{"a server without TLS", func(*testing.T) []string {
			return append(env, "NARTHEX_LDAP_URL="+strings.Replace(d.StartTLSURL, "ldap:", "ldaps:", 1))
		}, []string{"NARTHEX_LDAP_URL"}},
		{"another authority", func(*testing.T) []string { return append(env, "NARTHEX_LDAP_CA_FILE="+bare.CAFile) }, []string{"certificate"}},
		{"a base that is not there", func(*testing.T) []string { return append(env, "NARTHEX_LDAP_BASE=dc=elsewhere") }, []string{"dc=elsewhere"}},
		{"a directory that is read-only", func(t *testing.T) []string {
			d.SetReadOnly(t, true)
			t.Cleanup(func() { d.SetReadOnly(t, false) })
			return env
		}, []string{"53", "directory check"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testenv.Launch(t, c.env(t)...)
			began := time.Now()
			if code := s.Wait(); code <= 0 {
				t.Errorf("it ends with %d", code)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			log := s.Log()
			for _, word := range c.says {
				if !strings.Contains(log, word) {
					t.Errorf("it does not say %q", word)
				}
			}
			if t.Failed() {
				t.Log(log)
			}
			if strings.Contains(log, d.ServicePassword) || strings.Contains(log, `"msg":"ready"`) {
				t.Errorf("it served, or told the password:\n%s", log)
			}
		})
	}
}

// mute returns an address that takes connections and never says anything.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}
