package testenv_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

func TestSlapdWithOverlays(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t, testenv.WithPasswordPolicy(), testenv.WithUnique("mail"), testenv.WithMemberOf(), testenv.WithArgon2(),
		testenv.WithSync(), testenv.WithIndexes("objectClass", "uid"))
	person := "dn: uid=NAME,ou=people,BASE\nobjectClass: inetOrgPerson\nuid: NAME\ncn: x\nsn: x\nmail: MAIL\nuserPassword: Right-password-7\n"
	add := func(name, mail string) error {
		_, err := d.LDAPModify(d.AdminDN, d.AdminPassword, strings.NewReplacer("NAME", name, "BASE", d.Base, "MAIL", mail).Replace(person))
		return err
	}
	if err := add("ada", "ada@example.org"); err != nil {
		t.Fatal(err)
	}
	ada := "uid=ada," + d.People

	t.Run("two people have no value in common", func(t *testing.T) {
		if err := add("eve", "ada@example.org"); err == nil || !strings.Contains(err.Error(), "(19)") {
			t.Errorf("the second one hears %v", err)
		}
	})
	t.Run("passwords are hashed with argon2", func(t *testing.T) {
		if found := d.LDAPSearch(t, ada, "(objectClass=*)", "userPassword"); !strings.Contains(found, "userPassword:: e0FSR09OMn") { // {ARGON2}
			t.Errorf("it is kept as %s", found)
		}
		if _, err := d.LDAPWhoAmI(ada, "Right-password-7"); err != nil {
			t.Error(err)
		}
	})
	t.Run("a member knows its groups", func(t *testing.T) {
		d.Load(t, "dn: cn=staff,"+d.Groups+"\nobjectClass: groupOfNames\ncn: staff\nmember: "+ada+"\n")
		if found := d.LDAPSearch(t, ada, "(objectClass=*)", "memberOf"); !strings.Contains(found, "memberOf: cn=staff,"+d.Groups) {
			t.Errorf("its groups are %s", found)
		}
	})
	t.Run("five wrong passwords lock", func(t *testing.T) {
		for range 5 {
			_, _ = d.LDAPWhoAmI(ada, "wrong")
		}
		if _, err := d.LDAPWhoAmI(ada, "Right-password-7"); err == nil {
			t.Error("the right password is taken")
		}
	})
	t.Run("the rules of access may be replaced", func(t *testing.T) {
		d.SetAccess(t, "to attrs=userPassword by anonymous auth by * none", "to * by * none")
		if found, err := d.LDAPSearchAs(d.PlainDN, d.PlainPassword, d.Base, "(objectClass=*)", "1.1"); err == nil || !strings.Contains(err.Error(), "(32)") {
			t.Errorf("a plain user sees %s: %v", found, err)
		}
	})
}
