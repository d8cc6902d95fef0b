package doctor_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/testenv"
)

// rules are OpenLDAP's rules of the plan, as after olcAccess.
func rules(t *testing.T, p doctor.Plan) []string {
	t.Helper()
	text, err := p.Print(doctor.FormatSlapdConf)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, block := range strings.Split(text, "\naccess ")[1:] {
		block, _, _ = strings.Cut(block, "\n\n")
		all = append(all, strings.Join(strings.Fields(block), " "))
	}
	return all
}

// strict are rules of a directory that lets nobody see anything.
var strict = []string{"to attrs=userPassword by anonymous auth by * none", "to * by * none"}

// named tells whether one of the findings has a line in its fix.
func named(found doctor.Report, line string) bool {
	return slices.ContainsFunc(found, func(f doctor.Finding) bool { return strings.Contains(f.Fix, line) })
}

func TestEachLineOfTheRightsThatIsMissingIsNamed(t *testing.T) {
	t.Run("openldap", func(t *testing.T) {
		l := start(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd})
		l.prepare(t, nil)
		l.person(t)
		all := rules(t, l.plan(t))
		l.SetAccess(t, append(slices.Clone(all), strict...)...)
		if found := bad(l.check(t)); len(found) > 0 {
			t.Errorf("with all lines, where nobody may see anything:\n%s", found)
		}
		for i, line := range all {
			// These two only keep others out, and the service account from reading passwords.
			if strings.Contains(line, `"ou=pending,`) && strings.Contains(line, "userPassword") || strings.Contains(line, `to dn.subtree="ou=identifiers`) {
				continue
			}
			l.SetAccess(t, append(slices.Concat(all[:i], all[i+1:]), strict...)...)
			if found := bad(l.check(t)); !named(found, line) {
				t.Errorf("without\n%s\nthe doctor says\n%s", line, found)
			}
		}
	})
	t.Run("389ds", func(t *testing.T) {
		l := start(t, testenv.DirectoryKind{Kind: testenv.DS389, Start: testenv.StartDS389})
		l.prepare(t, nil)
		l.person(t)
		l.load(t, "dn: ou=people,BASE\nchangetype: modify\ndelete: aci\n\ndn: ou=groups,BASE\nchangetype: modify\ndelete: aci\n")
		text, err := l.plan(t).Print(doctor.FormatLDIF)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^aci: (.*)$`).FindAllStringSubmatch(text, -1) {
			// The first keeps others out, the second is for names and numbers of entries elsewhere: both do without being seen.
			if strings.Contains(line[1], "nobody else") || strings.Contains(line[1], "names and numbers in use") {
				continue
			}
			l.load(t, "dn: BASE\nchangetype: modify\ndelete: aci\n"+line[0]+"\n")
			if found := bad(l.check(t)); !named(found, line[1]) {
				t.Errorf("without\n%s\nthe doctor says\n%s", line[1], found)
			}
			l.load(t, "dn: BASE\nchangetype: modify\nadd: aci\n"+line[0]+"\n")
		}
		if found := bad(l.check(t)); len(found) > 0 {
			t.Errorf("with all lines again:\n%s", found)
		}
	})
}

func TestWhatTheDoctorTriesLeavesOneFreeClaim(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			l := start(t, kind)
			l.prepare(t, nil)
			l.person(t)
			before := l.LDAPSearch(t, l.Directory.Base, "(objectClass=*)", "dn")
			people := l.LDAPSearch(t, l.People, "(objectClass=*)", "*", "+")
			for range 2 {
				if found := bad(l.check(t)); len(found) > 0 {
					t.Fatalf("not healthy:\n%s", found)
				}
			}
			claim := "cn=" + doctor.CheckName + "," + l.Identifiers
			after := l.LDAPSearch(t, l.Directory.Base, "(objectClass=*)", "dn")
			added := slices.DeleteFunc(strings.Split(after, "\n\n"), func(dn string) bool { return strings.Contains(before, dn) })
			if len(added) != 1 || !strings.EqualFold(strings.TrimPrefix(added[0], "dn: "), claim) {
				t.Errorf("left behind: %q", added)
			}
			if now := l.LDAPSearch(t, l.People, "(objectClass=*)", "*", "+"); now != people {
				t.Errorf("accounts were\n%s\nand are\n%s", people, now)
			}
			shown := l.LDAPSearch(t, claim, "(objectClass=*)", "*")
			if !regexp.MustCompile(`(?m)^(description|keywords): F [0-9a-f]{20}$`).MatchString(shown) || strings.Contains(shown, ": check\n") {
				t.Errorf("the claim that stays is not free:\n%s", shown)
			}
		})
	}
}

func TestCapabilitiesThatAreNotGrantedAreWithheldAndNothingElse(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			l := start(t, kind)
			l.Capabilities = []doctor.Capability{doctor.Create, doctor.ChangeGroups}
			l.prepare(t, nil)
			l.person(t)
			if found := bad(l.check(t)); len(found) > 0 {
				t.Errorf("asked for what was granted:\n%s", found)
			}
			l.Capabilities = nil
			p := l.plan(t)
			p.ServiceSID, p.SchemaIDs, p.Descriptors = "", nil, nil // as the persister has it at its start
			pool, err := directory.Open(l.Connection)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			allowed, found, err := doctor.Rights(t.Context(), pool, p)
			if err != nil {
				t.Fatal(err)
			}
			var yes []doctor.Capability
			for _, c := range doctor.Capabilities() {
				if allowed[c] {
					yes = append(yes, c)
				}
			}
			if fmt.Sprint(yes) != "[create groups]" {
				t.Errorf("allowed are %v:\n%s", yes, found)
			}
			if worst := found.Worst(); worst != doctor.Warning {
				t.Errorf("the worst is %q:\n%s", worst, found)
			}
		})
	}
}

func TestProcessesThatStartTogetherAllSeeTheirRights(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			l := start(t, kind)
			l.prepare(t, nil)
			l.person(t)
			p := l.plan(t)
			var together sync.WaitGroup
			for range 4 {
				pool, err := directory.Open(l.Connection)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(pool.Close)
				together.Go(func() {
					allowed, found, err := doctor.Rights(t.Context(), pool, p)
					if err != nil || len(bad(found)) > 0 {
						t.Errorf("%v\n%s", err, found)
					}
					for _, c := range doctor.Capabilities() {
						if !allowed[c] {
							t.Errorf("%s is withheld", c)
						}
					}
				})
			}
			together.Wait()
			if left := l.LDAPSearch(t, l.Pending, "(!(ou=pending))", "dn"); strings.Contains(left, "dn: ") {
				t.Errorf("left behind:\n%s", left)
			}
		})
	}
}
