package doctor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/doctor"
)

func TestWhatOpenLDAPIsToldWrongIsNamedWithItsFix(t *testing.T) {
	t.Run("passwords in clear text", func(t *testing.T) {
		l := slapd(t)
		l.prepare(t, nil)
		l.load(t, "dn: olcDatabase={-1}frontend,cn=config\nchangetype: modify\nreplace: olcPasswordHash\nolcPasswordHash: {CLEARTEXT}\n")
		l.load(t, "dn: olcOverlay={0}ppolicy,olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcPPolicyHashCleartext\nolcPPolicyHashCleartext: FALSE\n")
		l.says(t, wanted{"password", doctor.Failure, "keeps passwords in clear text", "olcPasswordHash"})
	})
	t.Run("a policy that wants passwords to be old before they change is no fault", func(t *testing.T) {
		l := slapd(t)
		l.prepare(t, nil)
		l.person(t)
		l.load(t, "dn: cn=default,ou=policies,BASE\nchangetype: modify\nreplace: pwdMinAge\npwdMinAge: 3600\n")
		l.says(t)
		l.says(t)
		if r := l.check(t).String(); !strings.Contains(r, "a policy refuses another password on cn=probe") || !strings.Contains(r, "may: create, aliases, attributes, password, lock") {
			t.Errorf("the report is\n%s", r)
		}
	})
	t.Run("passwords that must be changed once a manager has set them", func(t *testing.T) {
		l := slapd(t)
		l.prepare(t, nil)
		l.load(t, "dn: cn=default,ou=policies,BASE\nchangetype: modify\nreplace: pwdMustChange\npwdMustChange: TRUE\n")
		all := rules(t, l.plan(t))
		l.SetAccess(t, append(append([]string{`to dn.base="cn=probe,ou=identifiers,dc=lab,dc=test" attrs=userPassword by dn.exact="cn=svc,dc=lab,dc=test" manage by anonymous auth`}, all...), strict...)...)
		l.says(t, wanted{"password", doctor.Failure, "must be changed before", "pwdMustChange"})
	})
	t.Run("a lock that does not lock", func(t *testing.T) {
		l := slapd(t)
		l.prepare(t, nil)
		l.load(t, "dn: cn=default,ou=policies,BASE\nchangetype: delete\n")
		l.says(t, wanted{"lock", doctor.Failure, "pwdStartTime does not lock", "default policy"})
	})
	t.Run("unfinished accounts that can log in, and that everybody sees", func(t *testing.T) {
		l := slapd(t)
		l.prepare(t, nil)
		first := []string{`to dn.children="ou=pending,ou=identifiers,dc=lab,dc=test" attrs=userPassword by dn.exact="cn=svc,dc=lab,dc=test" =w by anonymous auth`,
			`to dn.subtree="ou=identifiers,dc=lab,dc=test" attrs=entry,cn,objectClass by dn.exact="cn=svc,dc=lab,dc=test" write by * read`}
		l.SetAccess(t, append(append(first, rules(t, l.plan(t))...), "to * by * read")...)
		l.says(t, wanted{"rights", doctor.Failure, "an unfinished account can be logged in with", "attrs=userPassword"}, wanted{"rights", doctor.Failure, "everybody can see accounts that are not finished", "--ldif"})
	})
	t.Run("no indexes, found by slow searches", func(t *testing.T) {
		l := slapd(t)
		l.prepare(t, func(ldif string) string {
			before, _, _ := strings.Cut(ldif, "# The indexes.")
			return before
		})
		l.load(t, crowd(8000))
		l.says(t, wanted{"indexes", doctor.Warning, "there is no index for", "--ldif"})
	})
	t.Run("no index, where the service account may read the settings", func(t *testing.T) {
		l := slapd(t)
		l.prepare(t, func(ldif string) string {
			return strings.Replace(ldif, "olcDbIndex: ou eq", "olcDbIndex: l eq", 1)
		})
		l.load(t, "dn: olcDatabase={0}config,cn=config\nchangetype: modify\nreplace: olcAccess\nolcAccess: to * by dn.exact=\"cn=svc,BASE\" read\n")
		l.says(t, wanted{"indexes", doctor.Warning, "there is no index for ou:", "--ldif"})
	})
	t.Run("the older file of settings has what was printed for it", func(t *testing.T) {
		l := slapd(t)
		text, err := l.plan(t).Print(doctor.FormatSlapdConf)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "slapd.conf")
		conf := "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/nis.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n" +
			"modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload ppolicy\ndatabase mdb\nsuffix dc=lab,dc=test\ndirectory " + t.TempDir() + "\noverlay ppolicy\n" + text
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := slaptest(t, file); err != nil {
			t.Errorf("slaptest: %v\n%s", err, out)
		}
	})
}

// crowd is LDIF of many accounts.
func crowd(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "dn: uid=p%[1]d,ou=people,BASE\nobjectClass: inetOrgPerson\nuid: p%[1]d\ncn: P %[1]d\nsn: P\nmail: p%[1]d@example.org\nmobile: +4930%[1]d\n\n", i)
	}
	return b.String()
}
