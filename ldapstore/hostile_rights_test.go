package ldapstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// somebody makes an account and returns its name.
func (g guarded) somebody(t *testing.T, name string) (plugin.NewAccount, string) {
	t.Helper()
	a := newcomer(name)
	if _, err := g.store.Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	found := g.LDAPSearch(t, g.People, "(mail="+a.Keys[1].Value+")", "1.1")
	dn, _, _ := strings.Cut(strings.TrimPrefix(found, "dn: "), "\n")
	if dn == "" {
		t.Fatalf("%s is nowhere", name)
	}
	return a, dn
}

// forbidden are deeds that neither the service account nor anybody else but an admin may do.
func (g guarded) forbidden(person string) map[string]string {
	change := func(dn, attribute, value string) string {
		return "dn: " + dn + "\nchangetype: modify\nreplace: " + attribute + "\n" + attribute + ": " + value + "\n"
	}
	deeds := map[string]string{
		"write outside the tree":        "dn: ou=more," + g.Base + "\nobjectClass: organizationalUnit\nou: more\n",
		"write between the people":      "dn: ou=more," + g.People + "\nobjectClass: organizationalUnit\nou: more\n",
		"add what is no account":        "dn: cn=eve," + g.People + "\nobjectClass: person\ncn: eve\nsn: eve\n",
		"make the admin's password":     change(g.AdminDN, "userPassword", "Stolen-secret-7"),
		"change another entry":          change(g.PlainDN, "description", "changed"),
		"change the base":               change(g.Base, "description", "changed"),
		"change the container":          change(g.Identifiers, "description", "changed"),
		"delete the container":          "dn: " + g.Pending + "\nchangetype: delete\n",
		"delete another entry":          "dn: " + g.PlainDN + "\nchangetype: delete\n",
		"give a person another class":   "dn: " + person + "\nchangetype: modify\nadd: objectClass\nobjectClass: posixAccount\n-\nadd: uidNumber\nuidNumber: 0\n-\nadd: gidNumber\ngidNumber: 0\n-\nadd: homeDirectory\nhomeDirectory: /root\n",
		"make a group of its own":       "dn: cn=admins," + g.Groups + "\nobjectClass: groupOfNames\ncn: admins\nmember: " + g.ServiceDN + "\n",
		"make an alias of a container":  "dn: ou=trap," + g.Base + "\nobjectClass: alias\nobjectClass: extensibleObject\nou: trap\naliasedObjectName: " + g.People + "\n",
		"send people to another server": "dn: ou=trap," + g.People + "\nobjectClass: referral\nobjectClass: extensibleObject\nou: trap\nref: ldap://127.0.0.1:1\n",
	}
	switch g.Kind {
	case testenv.OpenLDAP:
		deeds["change the rules of access"] = change("olcDatabase={1}mdb,cn=config", "olcAccess", "to * by * manage")
		deeds["read only"] = change("olcDatabase={1}mdb,cn=config", "olcReadOnly", "TRUE")
	case testenv.DS389:
		deeds["change the rules of access"] = change(g.Base, "aci", `(targetattr="*")(version 3.0; acl "all"; allow (all) userdn="ldap:///anyone";)`)
		deeds["change the rules among people"] = change(g.People, "aci", `(targetattr="*")(version 3.0; acl "all"; allow (all) userdn="ldap:///anyone";)`)
		deeds["change the server"] = change("cn=config", "nsslapd-accesslog-level", "0")
	case testenv.ActiveDirectory:
		for what, text := range deeds { // an entry for a computer is one for a user there
			deeds[what] = strings.ReplaceAll(text, "objectClass: person\ncn: eve\nsn: eve", "objectClass: computer\nsAMAccountName: eve$")
		}
		delete(deeds, "send people to another server")
		delete(deeds, "make an alias of a container")
		deeds["make a group of its own"] = "dn: CN=admins," + g.Groups + "\nobjectClass: group\nsAMAccountName: ouradmins\n"
		deeds["join the domain's admins"] = "dn: CN=Domain Admins,CN=Users," + g.Base + "\nchangetype: modify\nadd: member\nmember: " + g.ServiceDN + "\n"
		deeds["change the rules of access"] = "dn: " + g.People + "\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor:: AQAEgBQAAAAAAAAAAAAAAAAAAAABAQAAAAAABQcAAAA=\n"
		deeds["trust somebody"] = "dn: " + person + "\nchangetype: modify\nreplace: servicePrincipalName\nservicePrincipalName: host/x\n"
	}
	return deeds
}

// refusals runs the deeds as somebody.
func (g guarded) refusals(t *testing.T, dn, password string, deeds map[string]string) {
	t.Helper()
	for what, ldif := range deeds {
		if _, err := g.LDAPModify(dn, password, ldif); err == nil {
			t.Errorf("%q may %s", dn, what)
		} else if text := err.Error(); !strings.Contains(text, "(50)") && !strings.Contains(text, "(32)") && !strings.Contains(text, "(53)") && !strings.Contains(text, "(8)") && !strings.Contains(text, "(1)") {
			t.Errorf("%q may not %s for another reason: %v", dn, what, err)
		}
	}
}

func (g guarded) serviceAccount(t *testing.T) {
	a, person := g.somebody(t, "matrix")
	deeds := g.forbidden(person)
	deeds["make somebody's password"] = fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: userPassword\nuserPassword: Stolen-secret-7\n", g.PlainDN)
	g.refusals(t, g.ServiceDN, g.ServicePassword, deeds)
	g.noPassword(t, g.ServiceDN, g.ServicePassword)
	if g.Kind != testenv.ActiveDirectory { // where a creator may delete
		claims := g.LDAPSearch(t, g.Identifiers, "(&(objectClass=device)(l=*))", "1.1")
		claim, _, _ := strings.Cut(strings.TrimPrefix(claims, "dn: "), "\n")
		g.refusals(t, g.ServiceDN, g.ServicePassword, map[string]string{"delete a claim": "dn: " + claim + "\nchangetype: delete\n"})
	}
	if _, err := g.store.Authenticate(t.Context(), a.Keys[0], a.Password); err != nil {
		t.Errorf("the person cannot log in any more: %v", err)
	}
}

// noPassword searches everywhere for anything that is stored of a password.
func (g guarded) noPassword(t *testing.T, dn, password string) {
	t.Helper()
	found, err := g.LDAPSearchAs(dn, password, g.Base, "(objectClass=*)", "userPassword", "unicodePwd", "ntPwdHash", "supplementalCredentials", "pwdHistory", "nsRoleDN")
	if err != nil && !strings.Contains(err.Error(), "(32)") && !strings.Contains(err.Error(), "(1)") {
		t.Errorf("%q: %v", dn, err)
	}
	entry := ""
	for line := range strings.Lines(found) {
		if strings.HasPrefix(line, "dn:") {
			entry = line
		}
		if name, _, _ := strings.Cut(line, ":"); strings.Contains(strings.ToLower(name), "pwd") || strings.EqualFold(name, "userPassword") && !strings.HasPrefix(entry, "dn: cn=probe,") { // nobody's, to try things on
			t.Errorf("%q sees in %s%s", dn, entry, line)
		}
	}
}

func (g guarded) others(t *testing.T) {
	a, person := g.somebody(t, "watched")
	deeds := g.forbidden(person)
	for what, attribute := range map[string]string{"change an address": "mail", "change a name": "sn", "change the mark": "employeeNumber"} {
		deeds[what] = fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: %s\n%[2]s: stolen\n", person, attribute)
	}
	deeds["delete a person"] = "dn: " + person + "\nchangetype: delete\n"
	deeds["rename a person"] = "dn: " + person + "\nchangetype: modrdn\nnewrdn: cn=stolen\ndeleteoldrdn: 0\n"
	deeds["make the service account's password"] = fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: userPassword\nuserPassword: Stolen-secret-7\n", g.ServiceDN)
	for who, password := range map[string]string{g.PlainDN: g.PlainPassword, person: soundPassword, "": ""} {
		g.refusals(t, who, password, deeds)
		g.noPassword(t, who, password)
		if out, _ := g.LDAPSearchAs(who, password, g.Identifiers, "(|(objectClass=device)(objectClass=serviceConnectionPoint)(sn=*))", "1.1"); strings.Contains(out, "dn: ") {
			t.Errorf("%q sees\n%s", who, out)
		}
	}
	if out, _ := g.LDAPSearchAs("", "", g.Base, "(objectClass=*)", "1.1"); strings.Contains(strings.ToLower(out), strings.ToLower(g.Base)) {
		t.Errorf("a stranger sees\n%s", out)
	}
	if _, err := g.store.Authenticate(t.Context(), a.Keys[0], a.Password); err != nil {
		t.Errorf("the person cannot log in any more: %v", err)
	}
}

// TestAServiceAccountThatMayOnlyCreateMayNeitherAddNorDeletePeople takes the rights for everything else away.
func TestAServiceAccountThatMayOnlyCreateMayNeitherAddNorDeletePeople(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t, testenv.WithPasswordPolicy(), testenv.WithIndexes("entryCSN"))
	o := at(t, d)
	d.Load(t, strings.ReplaceAll(groups, "BASE", d.Base))
	plan, err := doctor.Learn(t.Context(), doctor.Config{Connection: o.Directory, Base: directory.DN(o.Base), File: o.File, Uses: uses, Capabilities: []doctor.Capability{doctor.Create}})
	if err != nil {
		t.Fatal(err)
	}
	ldif, err := plan.Print(doctor.FormatLDIF)
	if err != nil {
		t.Fatal(err)
	}
	d.Load(t, ldif)
	g := guarded{Directory: d, store: open(t, o)}
	_, person := g.somebody(t, "created")
	deeds := g.forbidden(person)
	for what, text := range map[string]string{"delete a person": "changetype: delete\n", "take a person's name": "changetype: modrdn\nnewrdn: uid=stolen\ndeleteoldrdn: 1\n",
		"change an address": "changetype: modify\nreplace: mail\nmail: stolen@example.org\n", "change a name": "changetype: modify\nreplace: sn\nsn: stolen\n",
		"make a person's password": "changetype: modify\nreplace: userPassword\nuserPassword: Stolen-secret-7\n", "move a person away": "changetype: modrdn\nnewrdn: cn=x\ndeleteoldrdn: 0\nnewsuperior: " + d.Pending + "\n",
		"lock a person": "changetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"} {
		deeds[what] = "dn: " + person + "\n" + text
	}
	deeds["add a person"] = "dn: uid=eve," + d.People + "\nobjectClass: inetOrgPerson\nuid: eve\ncn: eve\nsn: eve\n"
	g.refusals(t, g.ServiceDN, g.ServicePassword, deeds)
}
