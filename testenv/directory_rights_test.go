package testenv_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

const (
	claimName = "0123456789abcdef0123456789abcdef01234567"
	stagedRDN = "cn=00112233445566778899-" + claimName
)

// Steps of a registration as the service account sends them, on each kind of server.
var registration = map[string][]string{
	testenv.OpenLDAP: {claimDevice, heldDevice, "dn: STAGED\nobjectClass: inetOrgPerson\nSTAGEDCN\ncn: Ada Lovelace\nsn: Lovelace\nuid: ada\nmail: ada@example.org\nuserPassword: PASSWORD\n", movedUID},
	testenv.DS389: {claimDevice, heldDevice, "dn: STAGED\nobjectClass: inetOrgPerson\nSTAGEDCN\ncn: Ada Lovelace\nsn: Lovelace\nuid: ada\nmail: ada@example.org\nuserPassword: PASSWORD\nnsAccountLock: true\n",
		"dn: STAGED\nchangetype: modify\nreplace: nsAccountLock\n", movedUID},
	testenv.ActiveDirectory: {
		"dn: CLAIM\nobjectClass: serviceConnectionPoint\nkeywords: P\nserviceClassName: open\n",
		"dn: CLAIM\nchangetype: modify\ndelete: keywords\nkeywords: P\n-\nadd: keywords\nkeywords: C\n",
		"dn: STAGED\nobjectClass: user\nsAMAccountName: ada\nuserPrincipalName: ada@lab.test\nmail: ada@example.org\nuserAccountControl: 514\nunicodePwd:: UNICODE\n",
		"dn: STAGED\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 512\n",
		"dn: STAGED\nchangetype: modrdn\nnewrdn: CN=Ada Lovelace\ndeleteoldrdn: 1\nnewsuperior: PEOPLE\n",
	},
}

const (
	claimDevice = "dn: CLAIM\nobjectClass: device\ndescription: P\nou: open\n"
	heldDevice  = "dn: CLAIM\nchangetype: modify\ndelete: description\ndescription: P\n-\nadd: description\ndescription: C\n"
	movedUID    = "dn: STAGED\nchangetype: modrdn\nnewrdn: uid=ada\ndeleteoldrdn: 1\nnewsuperior: PEOPLE\n"
)

func rights(t *testing.T, d *testenv.Directory) {
	const password = "Right-password-7"
	claim, staged := "cn="+claimName+","+d.Identifiers, stagedRDN+","+d.Pending
	names := strings.NewReplacer("CLAIM", claim, "STAGEDCN", strings.Replace(stagedRDN, "=", ": ", 1), "STAGED", staged, "PEOPLE", d.People, "PASSWORD", password,
		"UNICODE", testenv.UnicodePassword(password))
	for _, step := range registration[d.Kind] {
		hidden(t, d, staged)
		if _, err := d.LDAPModify(d.ServiceDN, d.ServicePassword, names.Replace(step)); err != nil {
			t.Fatalf("the service account may not %s\n%v", step, err)
		}
		if strings.HasPrefix(step, "dn: STAGED\nobjectClass") {
			if _, err := d.LDAPWhoAmI(staged, password); err == nil {
				t.Error("an account that is not committed binds")
			}
		}
	}
	hidden(t, d, staged)

	person := "uid=ada," + d.People
	if d.Kind == testenv.ActiveDirectory {
		person = "CN=Ada Lovelace," + d.People
	}
	if who, err := d.LDAPWhoAmI(person, password); err != nil || who != person {
		t.Errorf("the new person is %q: %v", who, err)
	}
	if found, err := d.LDAPSearchAs(d.PlainDN, d.PlainPassword, d.People, "(mail=ada@example.org)", "1.1"); err != nil || !strings.Contains(found, person) {
		t.Errorf("others see %q of the new person: %v", found, err)
	}
	refused := []string{
		"dn: " + person + "\nchangetype: modify\nreplace: sn\nsn: Byron\n",
		"dn: " + person + "\nchangetype: modify\nreplace: description\ndescription: x\n",
		"dn: " + d.Identifiers + "\nchangetype: modify\nreplace: description\ndescription: x\n",
		"dn: ou=more," + d.Base + "\nobjectClass: organizationalUnit\nou: more\n",
	}
	if d.Kind != testenv.ActiveDirectory { // where a creator may delete
		refused = append(refused, "dn: "+claim+"\nchangetype: delete\n")
	}
	for _, ldif := range refused {
		if _, err := d.LDAPModify(d.ServiceDN, d.ServicePassword, ldif); err == nil || !strings.Contains(err.Error(), "(50)") {
			t.Errorf("the service account sends\n%sand hears %v", ldif, err)
		}
	}
}

// hidden looks as somebody else who may bind. Active Directory lets them see that ou=identifiers is there.
func hidden(t *testing.T, d *testenv.Directory, staged string) {
	t.Helper()
	for _, base := range []string{d.Identifiers, staged} {
		found, err := d.LDAPSearchAs(d.PlainDN, d.PlainPassword, base, "(objectClass=*)", "*")
		if d.Kind == testenv.ActiveDirectory {
			found = strings.TrimPrefix(found, "dn: "+d.Identifiers+"\n")
		}
		if strings.TrimSpace(found) != "" && err == nil || err != nil && !strings.Contains(err.Error(), "(32)") {
			t.Errorf("a plain user sees at %s: %s %v", base, found, err)
		}
	}
}
