package directory_test

import (
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

// TestServersRefusals: what a real server refuses comes back as its code, and nothing has happened.
func TestServersRefusals(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t)
	pool := open(t, settingsOf(d))
	people := directory.DN(d.People)
	add := func(name string, more ...directory.Attribute) error {
		return pool.Add(t.Context(), people.Child("cn", name), append(person(d.Kind, name), more...))
	}
	for _, name := range []string{"ada", "bob", "cyd"} {
		if err := add(name); err != nil {
			t.Fatal(err)
		}
	}
	configure := func(attribute, value string) {
		d.Load(t, "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: "+attribute+"\n"+attribute+": "+value+"\n")
	}
	expect := func(rule string, err error, code uint16) {
		t.Helper()
		if !directory.Refused(err, code) {
			t.Errorf("%s: %v, want code %d", rule, err, code)
		}
	}
	expect("an unknown attribute", add("x", directory.Attribute{"favouriteColour", []string{"red"}}), directory.UndefinedAttributeType)
	expect("an attribute that the class has not", add("x", directory.Attribute{"gidNumber", []string{"1"}}), directory.ObjectClassViolation)
	expect("a value against its syntax", add("x", directory.Attribute{"mail", []string{"josé@lab.test"}}), directory.InvalidAttributeSyntax)
	expect("a parent that is not there", pool.Add(t.Context(), people.Child("ou", "none").Child("cn", "x"), person(d.Kind, "x")), directory.NoSuchObject)
	expect("an entry with children", pool.Delete(t.Context(), people), directory.NotAllowedOnNonLeaf)
	settings := settingsOf(d)
	settings.BindDN, settings.Password = d.PlainDN, d.PlainPassword
	plain := open(t, settings)
	expect("no right to write", plain.Delete(t.Context(), people.Child("cn", "ada")), directory.InsufficientAccessRights)
	configure("olcSizeLimit", "2")
	if found, err := plain.Search(t.Context(), people, directory.OneLevel, directory.Filter{}, 2); err != nil || len(found) != 2 {
		t.Errorf("as many as the server allows: %d, %v", len(found), err)
	}
	for _, limit := range []int{0, 3} {
		_, err := plain.Search(t.Context(), people, directory.OneLevel, directory.Filter{}, limit)
		expect("more than the server allows", err, directory.SizeLimitExceeded)
	}
	configure("olcReadOnly", "TRUE")
	expect("a server that only reads", add("x"), directory.UnwillingToPerform)
	configure("olcReadOnly", "FALSE")
}
