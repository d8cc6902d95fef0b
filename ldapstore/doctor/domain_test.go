package doctor_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/testenv"
)

func samba(t *testing.T) *lab {
	t.Helper()
	l := start(t, testenv.DirectoryKind{Kind: testenv.ActiveDirectory, Start: testenv.StartSamba})
	l.prepare(t, nil)
	l.person(t)
	return l
}

// descriptor is an entry's list of rights, as LDIF has it.
func (l *lab) descriptor(t *testing.T, dn string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^nTSecurityDescriptor:: (.*)$`).FindStringSubmatch(l.LDAPSearch(t, dn, "(distinguishedName="+dn+")", "nTSecurityDescriptor"))
	if found == nil {
		t.Fatalf("no descriptor of %s", dn)
	}
	return found[1]
}

func (l *lab) setDescriptor(t *testing.T, dn, value string) {
	t.Helper()
	l.Load(t, "dn: "+dn+"\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor:: "+value+"\n")
}

// Each right is taken away by an entry that denies it, which stands before all others.
func TestEachRightThatIsMissingInADomainIsNamed(t *testing.T) {
	l := samba(t)
	const members = "CN=members,OU=groups,DC=lab,DC=test"
	sid := l.plan(t).ServiceSID
	for _, c := range []struct{ place, right, object, below, text string }{
		{l.Identifiers, "CC", "serviceconnectionpoint", "", "create: the service account may not add claims"},
		{l.Pending, "CC", "user", "", "create: the service account may not add and remove unfinished accounts"},
		{l.Pending, "WP", "name", "user", "create: the service account may not read and change unfinished accounts"},
		{l.Pending, "WP", "useraccountcontrol", "user", "create: the service account may not read and change unfinished accounts"},
		{l.People, "CC", "user", "", "create: the service account may not move a finished account into its place"},
		{l.People, "DC", "user", "", "delete: the service account may not take accounts away"},
		{l.People, "WP", "name", "user", "delete: the service account may not take accounts away"},
		{l.People, "WP", "cn", "user", "delete: the service account may not take accounts away"},
		{l.People, "WP", "mail", "user", "aliases: the service account may not write mail of accounts"},
		{l.People, "WP", "sn", "user", "attributes: the service account may not write sn of accounts"},
		{l.People, "WP", "useraccountcontrol", "user", "lock: the service account may not write userAccountControl of accounts"},
		{l.People, "CR", "user-force-change-password", "user", "password: the service account may not set passwords"},
		{members, "WP", "member", "", "groups: the service account may not write member of " + members},
	} {
		before := l.descriptor(t, c.place)
		octets, err := base64.StdEncoding.DecodeString(before)
		if err != nil {
			t.Fatal(err)
		}
		denied, err := doctor.Deny(string(octets), sid, c.right, c.object, c.below)
		if err != nil {
			t.Fatal(err)
		}
		l.setDescriptor(t, c.place, base64.StdEncoding.EncodeToString([]byte(denied)))
		found := bad(l.check(t))
		if len(found) != 1 || !strings.EqualFold(found[0].Text, c.text) {
			t.Errorf("without %s of %s at %s the doctor says\n%s", c.right, c.object, c.place, found)
		} else if !strings.Contains(strings.ToLower(found[0].Fix), strings.ToLower(c.place)) {
			t.Errorf("without %s of %s at %s the fix is %s", c.right, c.object, c.place, found[0].Fix)
		}
		for _, leftover := range strings.Split(l.LDAPSearch(t, l.Pending, "(objectClass=user)", "dn"), "\n\n") {
			if dn, is := strings.CutPrefix(strings.TrimSpace(leftover), "dn: "); is {
				l.Load(t, "dn: "+dn+"\nchangetype: delete\n")
			}
		}
		l.setDescriptor(t, c.place, before)
	}
	if found := bad(l.check(t)); len(found) > 0 {
		t.Errorf("with all rights again:\n%s", found)
	}
}

func TestThePrintedDescriptorHidesWhatIsNotFinished(t *testing.T) {
	l := samba(t)
	const run = "00112233445566778899-" + doctor.CheckName
	claim, staged := "CN="+doctor.CheckName+","+l.Identifiers, "CN="+run+","+l.Pending
	for _, ldif := range []string{
		"dn: " + claim + "\nobjectClass: serviceConnectionPoint\nkeywords: F 00112233445566778899\n",
		"dn: " + staged + "\nobjectClass: user\nsAMAccountName: eve\nmail: eve@example.org\nuserAccountControl: 514\n",
	} {
		if _, err := l.LDAPModify(l.ServiceDN, l.ServicePassword, ldif); err != nil {
			t.Fatal(err)
		}
	}
	see := func(dn, password string) (all []string) {
		for _, search := range [][2]string{{l.Directory.Base, "(mail=eve@example.org)"}, {l.Directory.Base, "(sAMAccountName=eve)"}, {l.Directory.Base, "(keywords=F 00112233445566778899)"},
			{staged, "(objectClass=*)"}, {claim, "(objectClass=*)"}, {l.Pending, "(objectClass=*)"}, {l.Identifiers, "(objectClass=*)"}} {
			out, _ := l.LDAPSearchAs(dn, password, search[0], search[1], "mail", "keywords", "name")
			if strings.Contains(out, "dn: ") {
				all = append(all, search[0]+" "+search[1])
			}
		}
		return all
	}
	if all := see(l.ServiceDN, l.ServicePassword); len(all) != 7 {
		t.Errorf("the service account sees only %q", all)
	}
	for _, seen := range see(l.PlainDN, l.PlainPassword) {
		if seen != l.Identifiers+" (objectClass=*)" { // that it is there is no secret
			t.Errorf("somebody else sees %s", seen)
		}
	}
}

func TestRightsOnWhatIsThereAreAddedByLDIFOrByCommandsAndOnce(t *testing.T) {
	l := start(t, testenv.DirectoryKind{Kind: testenv.ActiveDirectory, Start: testenv.StartSamba})
	own := l.descriptor(t, l.People)
	l.prepare(t, func(ldif string) string {
		if strings.Contains(ldif, "samba-tool") {
			t.Errorf("commands although the server shows its lists:\n%s", ldif)
		}
		return ldif + "\n"
	})
	again, err := l.plan(t).Print(doctor.FormatLDIF)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(again, "changetype: modify") || !strings.Contains(again, "# The rights on ou=people,DC=lab,DC=test are there.") {
		t.Errorf("printed again:\n%s", again)
	}
	l.setDescriptor(t, l.People, own)
	if found := bad(l.check(t)); !strings.Contains(found.String(), "may not move a finished account into its place") {
		t.Errorf("without the rights again:\n%s", found)
	}
	p := l.plan(t)
	p.Descriptors = nil
	commands, err := p.Print(doctor.FormatLDIF)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range command.FindAllStringSubmatch(commands, -1) {
		l.sambaTool(t, found[1])
	}
	l.person(t)
	if found := bad(l.check(t)); len(found) > 0 {
		t.Errorf("after the commands:\n%s", found)
	}
}
