package doctor_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

// A service account whose name has everything that DNs, rules and instructions write in their own way.
func TestRightsAreForTheServiceAccountWhateverItsNameIs(t *testing.T) {
	for _, kind := range []testenv.DirectoryKind{{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd}, {Kind: testenv.DS389, Start: testenv.StartDS389}} {
		t.Run(kind.Kind, func(t *testing.T) {
			l := start(t, kind)
			name := `Narthex, "the" (service) + 1`
			dn := directory.DN(l.Directory.Base).Child("cn", name)
			l.load(t, "dn: "+string(dn)+"\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: "+name+"\nuserPassword: "+l.ServicePassword+"\n")
			l.Connection.BindDN = string(dn)
			l.prepare(t, nil)
			l.person(t)
			if found := bad(l.check(t)); len(found) > 0 {
				t.Errorf("not healthy:\n%s", found)
			}
			l.Restart(t)
			if found := bad(l.check(t)); len(found) > 0 {
				t.Errorf("not healthy after a restart:\n%s", found)
			}
		})
	}
}

func TestBadNamesOfTheServerAreNotPrinted(t *testing.T) {
	l := slapd(t)
	l.Connection.URL = "ldaps://user:hidden-word@" + strings.TrimPrefix(l.URL, "ldaps://")
	if r := l.check(t).String(); strings.Contains(r, "hidden-word") {
		t.Errorf("the report has what may be a password:\n%s", r)
	}
}
