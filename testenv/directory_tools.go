package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Load applies LDIF as the admin, with ldapmodify -a: entries are added, records with a changetype do what they say. On
// OpenLDAP it may change cn=config as well.
func (d *Directory) Load(t testing.TB, ldif string) {
	t.Helper()
	if _, err := d.LDAPModify(d.AdminDN, d.AdminPassword, ldif); err != nil {
		t.Fatalf("load into %s: %v", d.Kind, err)
	}
}

// SetReadOnly makes the server refuse every write, or take them again. Not on Active Directory, which has no such switch.
func (d *Directory) SetReadOnly(t testing.TB, on bool) {
	t.Helper()
	record, value := "", strings.ToUpper(strconv.FormatBool(on))
	switch d.Kind {
	case OpenLDAP:
		record = "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcReadOnly\nolcReadOnly: " + value + "\n"
	case DS389:
		value = map[bool]string{true: "on", false: "off"}[on]
		record = "dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config\nchangetype: modify\nreplace: nsslapd-readonly\nnsslapd-readonly: " + value + "\n"
	default:
		t.Fatalf("%s cannot be made read-only", d.Kind)
	}
	d.Load(t, record)
}

// LDAPModify runs ldapmodify -a as somebody and returns what it prints.
func (d *Directory) LDAPModify(dn, password, ldif string) (string, error) {
	return d.tool(ldif, "ldapmodify", "-a", "-D", dn, "-w", password)
}

// LDAPWhoAmI runs ldapwhoami as somebody: the DN that the server takes them for, or why it does not let them in.
func (d *Directory) LDAPWhoAmI(dn, password string) (string, error) {
	if d.Kind == ActiveDirectory { // no RFC 4532: look oneself up
		return d.whoAmISearch(dn, password)
	}
	out, err := d.tool("", "ldapwhoami", "-D", dn, "-w", password)
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(out), "dn:")), err
}

func (d *Directory) whoAmISearch(who, password string) (string, error) {
	filter := fmt.Sprintf("(|(distinguishedName=%[1]s)(userPrincipalName=%[1]s))", who)
	out, err := d.LDAPSearchAs(who, password, d.Base, filter, "1.1")
	dn, _, _ := strings.Cut(strings.TrimPrefix(out, "dn: "), "\n")
	return dn, err
}

// LDAPSearch runs ldapsearch over a subtree as the admin and returns LDIF without comments and folded lines.
func (d *Directory) LDAPSearch(t testing.TB, base, filter string, attributes ...string) string {
	t.Helper()
	out, err := d.LDAPSearchAs(d.AdminDN, d.AdminPassword, base, filter, attributes...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// LDAPSearchAs is LDAPSearch as somebody else, who may be refused.
func (d *Directory) LDAPSearchAs(dn, password, base, filter string, attributes ...string) (string, error) {
	args := append([]string{"-LLL", "-o", "ldif-wrap=no", "-D", dn, "-w", password, "-b", base, "-s", "sub", filter}, attributes...)
	return d.tool("", "ldapsearch", args...)
}

// tool runs one of OpenLDAP's commands over LDAPS, with the server's authority and none of the machine's settings.
func (d *Directory) tool(input, name string, args ...string) (string, error) {
	cmd := exec.Command(name, append([]string{"-x", "-H", d.URL}, args...)...)
	cmd.Dir = d.dir // no ldaprc there
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.dir, "LDAPCONF=/dev/null",
		"LDAPTLS_CACERT=" + d.CAFile, "LDAPTLS_REQCERT=demand"}
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return string(out), nil
}
