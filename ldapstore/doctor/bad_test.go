package doctor_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/testenv"
)

// wanted is what the doctor must say: one finding of the check with these words in its text and its fix.
type wanted struct {
	check     string
	level     doctor.Level
	text, fix string
}

// says compares the findings of a badly prepared directory.
func (l *lab) says(t *testing.T, all ...wanted) {
	t.Helper()
	r := l.check(t)
	found := bad(r)
	for _, w := range all {
		there := false
		for _, f := range found {
			there = there || f.Check == w.check && f.Level == w.level && strings.Contains(f.Text, w.text) && strings.Contains(f.Fix, w.fix)
		}
		if !there {
			t.Errorf("no finding %v in\n%s", w, r)
		}
	}
	if len(found) != len(all) {
		t.Errorf("%d findings, want %d:\n%s", len(found), len(all), r)
	}
	if strings.Contains(r.String(), l.ServicePassword) {
		t.Error("the report has the service account's password")
	}
}

func slapd(t *testing.T, options ...testenv.DirectoryOption) *lab {
	t.Helper()
	return start(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd}, options...)
}

func TestAServerThatCannotBeUsedIsNamedWithItsFix(t *testing.T) {
	l := slapd(t)
	l.prepare(t, nil)
	healthy := l.Config
	try := func(name string, spoil func(), w wanted) {
		t.Run(name, func(t *testing.T) {
			l.Config = healthy
			l.Connection.ConnectTimeout, l.Connection.RequestTimeout = time.Second, time.Second
			spoil()
			l.says(t, w)
		})
	}
	host := strings.TrimPrefix(l.URL, "ldaps://")
	try("an authority that is not trusted", func() { l.Connection.CAFile = "" },
		wanted{"connection", doctor.Failure, "from an authority that is not trusted: CN=", "set NARTHEX_LDAP_CA_FILE"})
	other := testenv.StartSlapd(t)
	try("another authority than the one in the file", func() { l.Connection.CAFile = other.CAFile },
		wanted{"connection", doctor.Failure, "from an authority that is not trusted", "into the file of NARTHEX_LDAP_CA_FILE"})
	try("a name that is not in the certificate", func() { l.Connection.ServerName = "ldap.example.org" },
		wanted{"connection", doctor.Failure, "is for another name: localhost, 127.", "NARTHEX_LDAP_URL"})
	try("a file of authorities that is not there", func() { l.Connection.CAFile = filepath.Join(t.TempDir(), "none.pem") },
		wanted{"connection", doctor.Failure, "no such file", "NARTHEX_LDAP_CA_FILE"})
	try("a port where nobody listens", func() { l.Connection.URL = "ldaps://127.0.0.1:1" },
		wanted{"connection", doctor.Failure, "nothing listens at 127.0.0.1:1", "correct host and port"})
	try("a port without TLS", func() { l.Connection.URL = strings.Replace(l.StartTLSURL, "ldap:", "ldaps:", 1) },
		wanted{"connection", doctor.Failure, "", ""})
	try("a wrong password", func() { l.Connection.Password = "wrong" },
		wanted{"account", doctor.Failure, "cn=svc,dc=lab,dc=test may not log in: the server answers with result code 49, invalid credentials", "NARTHEX_LDAP_BIND_PASSWORD_FILE"})
	try("no password", func() { l.Connection.Password = "" },
		wanted{"account", doctor.Failure, "has no password", "NARTHEX_LDAP_BIND_PASSWORD_FILE"})
	t.Run("nothing is wrong over StartTLS", func(t *testing.T) {
		l.Config = healthy
		l.Connection.URL = l.StartTLSURL
		l.says(t)
	})
	try("a certificate that ends soon", func() { l.RenewBefore = 48 * time.Hour },
		wanted{"connection", doctor.Warning, "the certificate is good until", "renew it"})
	try("a server that hangs", func() {
		l.Stop()
		t.Cleanup(l.Continue)
	}, wanted{"connection", doctor.Failure, host + " does not answer in time", "hangs"})
	l.Continue()
	try("a peer that takes connections and says nothing of LDAP", func() { l.Connection.URL = "ldaps://" + silent(t) },
		wanted{"connection", doctor.Failure, "does not answer in time", "firewall"})
}

// silent listens and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func TestABadlyPreparedTreeIsNamedWithItsFix(t *testing.T) {
	l := slapd(t)
	l.prepare(t, nil)
	l.person(t)
	healthy := l.Config
	for name, c := range map[string]struct {
		file string
		want []wanted
	}{
		"a people.base that is not there": {"people: {base: ou=customers}", []wanted{{"entries", doctor.Failure, "there is no ou=customers,dc=lab,dc=test", "people.base"}}},
		"identifiers somewhere else": {"identifiers: {base: ou=claims}", []wanted{
			{"entries", doctor.Failure, "there is no ou=claims,dc=lab,dc=test", "--ldif"}, {"entries", doctor.Failure, "there is no ou=pending,ou=claims,dc=lab,dc=test", "--ldif"},
			{"entries", doctor.Warning, "there is no cn=decoy,ou=claims,dc=lab,dc=test", "--ldif"}, {"entries", doctor.Warning, "there is no cn=probe,ou=claims,dc=lab,dc=test", "--ldif"},
		}},
		"a file with faults":                   {"people: {bse: ou=people}", []wanted{{"file", doctor.Failure, "directory.yaml:1:", ""}}},
		"a class whose demands nobody meets":   {"people: {object_classes: [inetOrgPerson, pilotPerson, domainRelatedObject]}", []wanted{{"schema", doctor.Failure, "attribute associatedDomain: the classes demand associatedDomain, and nothing supplies it", "constants"}}},
		"a group that is not there":            {"groups: {none: {dn: \"cn=none,ou=groups\"}}", []wanted{{"rights", doctor.Warning, "there is no group cn=none,ou=groups,dc=lab,dc=test", "groups"}}},
		"a group of another kind":              {"groups: {members: {dn: \"cn=members,ou=groups\", kind: posixGroup}}", []wanted{{"rights", doctor.Warning, "memberUid", ""}}},
		"a mark that can have several values":  {"mark: description", []wanted{{"schema", doctor.Failure, "can have several values", "single-valued"}}},
		"a mark that something else uses":      {"mark: displayName", []wanted{{"schema", doctor.Failure, "the mark displayName is used for something else, by uid=ada,ou=people,dc=lab,dc=test", "mark"}}},
		"a hash that the server does not know": {"password: {hash: argon2id}", []wanted{{"password", doctor.Failure, "a password that was set a moment ago is refused", "hash: server"}}},
	} {
		t.Run(name, func(t *testing.T) {
			l.Config = healthy
			l.write(t, c.file)
			l.Capabilities = []doctor.Capability{doctor.Create, doctor.SetPassword, doctor.ChangeGroups}
			if strings.Contains(c.file, "displayName") {
				l.load(t, "dn: uid=ada,ou=people,BASE\nchangetype: modify\nreplace: displayName\ndisplayName: Ada\n")
			}
			l.says(t, c.want...)
		})
	}
}

func TestAServerThatIsReadOnlyOrHasLostAReaderIsNamed(t *testing.T) {
	l := slapd(t)
	l.prepare(t, nil)
	l.person(t)
	l.write(t, posixFile+"readers: ["+l.URL+", \"ldaps://127.0.0.1:1\"]\n")
	l.says(t, wanted{"readers", doctor.Warning, "nothing listens at 127.0.0.1:1", "readers"})
	l.write(t, posixFile)
	l.SetReadOnly(t, true)
	r := bad(l.check(t))
	if !strings.Contains(r.String(), "create: the service account cannot add claims: the server answers with result code 53, unwilling to perform (operation restricted)") || r.Worst() != doctor.Failure {
		t.Errorf("a server that is read-only:\n%s", r)
	}
}

func TestWhatIsWrongWith389IsNamedWithItsFix(t *testing.T) {
	l := start(t, testenv.DirectoryKind{Kind: testenv.DS389, Start: testenv.StartDS389})
	l.load(t, "dn: BASE\nchangetype: modify\nadd: aci\naci: (targetattr=\"*\")(version 3.0; acl \"everybody reads everything\"; allow (read,search,compare) userdn=\"ldap:///anyone\";)\n")
	l.prepare(t, nil)
	t.Run("what everybody may read does not show what is unfinished", func(t *testing.T) {
		l.says(t)
		if r := l.check(t).String(); !strings.Contains(r, "the 7-bit check refuses letters other than ASCII in uid") {
			t.Errorf("the plug-in for ASCII is not noticed:\n%s", r)
		}
		for _, who := range [][2]string{{l.PlainDN, l.PlainPassword}, {"", ""}} {
			for _, base := range []string{l.Directory.Base, l.Identifiers, l.Pending, "cn=" + doctor.CheckName + "," + l.Identifiers} {
				out, _ := l.LDAPSearchAs(who[0], who[1], base, "(|(ou=identifiers)(ou=pending)(cn=*))", "description")
				if strings.Contains(strings.ToLower(out), "ou=identifiers") {
					t.Errorf("%q sees below %s:\n%s", who[0], base, out)
				}
			}
		}
	})
	t.Run("without the instruction that hides it, it does", func(t *testing.T) {
		text, err := l.plan(t).Print(doctor.FormatLDIF)
		if err != nil {
			t.Fatal(err)
		}
		_, hidden, _ := strings.Cut(text, `aci: (targetattr="*")(target="ldap:///ou=identifiers,dc=lab,dc=test")(version 3.0; acl "narthex: nobody else"`)
		hidden, _, _ = strings.Cut(hidden, "\n")
		line := `aci: (targetattr="*")(target="ldap:///ou=identifiers,dc=lab,dc=test")(version 3.0; acl "narthex: nobody else"` + hidden + "\n"
		l.load(t, "dn: BASE\nchangetype: modify\ndelete: aci\n"+line)
		l.says(t, wanted{"rights", doctor.Failure, "everybody can see accounts that are not finished", "nobody else"})
		l.load(t, "dn: BASE\nchangetype: modify\nadd: aci\n"+line)
	})
	t.Run("passwords in clear text", func(t *testing.T) {
		l.load(t, "dn: cn=config\nchangetype: modify\nreplace: passwordStorageScheme\npasswordStorageScheme: CLEAR\n")
		l.says(t, wanted{"password", doctor.Failure, "keeps passwords in clear text", "passwordStorageScheme"})
	})
}

func TestAClockThatIsOffIsNamed(t *testing.T) {
	at := func(off time.Duration) string { return time.Now().UTC().Add(off).Format("20060102150405Z") }
	for theirs, want := range map[string]string{at(0): "agree", at(-time.Hour): "is 1h0m", at(-2 * time.Hour): "behind this machine's", at(time.Hour): "ahead of this machine's"} {
		r := doctor.CompareClocks(theirs)
		if len(r) != 1 || !strings.Contains(r[0].Text, want) || (r[0].Level == doctor.Warning) == (want == "agree") {
			t.Errorf("%s: %v", theirs, r)
		}
	}
}
