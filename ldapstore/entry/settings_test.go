package entry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
)

const base = directory.DN("dc=example,dc=org")

// decode reads a file that has no faults.
func decode(t *testing.T, kind directory.Kind, text string) *entry.Settings {
	t.Helper()
	s, err := entry.Decode("directory.yaml", []byte(text), kind, base)
	if err != nil {
		t.Fatalf("the file is refused:\n%v", err)
	}
	return s
}

func TestDefaults(t *testing.T) {
	for kind, want := range map[directory.Kind]struct {
		people, pending directory.DN
		username, mark  string
		lock            entry.LockMethod
	}{
		directory.OpenLDAP:        {"ou=people,dc=example,dc=org", "ou=pending,ou=identifiers,dc=example,dc=org", "uid", "employeeNumber", entry.LockStart},
		directory.DS389:           {"ou=people,dc=example,dc=org", "ou=pending,ou=identifiers,dc=example,dc=org", "uid", "employeeNumber", entry.LockAccount},
		directory.ActiveDirectory: {"ou=people,dc=example,dc=org", "ou=pending,ou=identifiers,dc=example,dc=org", "sAMAccountName", "adminDescription", entry.LockControl},
	} {
		t.Run(string(kind)+"/an empty file fits a plain tree", func(t *testing.T) {
			s := decode(t, kind, "")
			if s.People.Base != want.people || s.Pending != want.pending || s.People.Username != want.username || s.Mark != want.mark || s.Lock.Method != want.lock {
				t.Errorf("the defaults are %+v", s)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	const file = `people:
  Base: ou=people
  rdn: "cn={{givenName}}"
  rdn: x
templates:
  cn: "{{givenName"
  employeeNumber: "{{username}}"
  sn: 7
constants: {userPassword: x, o: []}
numbers: {uidNumber: {from: 10, block: many}}
groups: {staff: {kind: club}}
default_groups: [crew]
lock: {method: nsAccountLock}
password: {hash: md5}
username_hold: soon
colour: red
`
	_, err := entry.Decode("directory.yaml", []byte(file), directory.OpenLDAP, base)
	var faults entry.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("the error is %v", err)
	}
	for _, want := range []string{
		`directory.yaml:2:3: people.Base: unknown key "Base"; write "base"`,
		"directory.yaml:3:8: people.rdn: two people could get the same name",
		`directory.yaml:4:3: people.rdn: the key "rdn" stands here twice`,
		`directory.yaml:6:7: templates.cn: "{{" is not closed`,
		"directory.yaml:7:3: templates.employeeNumber: employeeNumber is supplied by mark already",
		`directory.yaml:8:7: templates.sn: this is a number, not a text; put it in quotes: "7"`,
		"directory.yaml:9:13: constants.userPassword: userPassword decides what an entry is",
		"constants.o: there is no value", "numbers.uidNumber.from: this number is not possible here", "numbers.uidNumber.block: this is a text, not a whole number",
		`groups.staff.kind: "club" is not possible here`, `groups.staff: the key "dn" is missing`, `default_groups[0]: there is no group "crew"`,
		"lock.method: nsAccountLock locks nobody on this server", `password.hash: "md5" is not possible here`,
		`username_hold: "soon" is not a time span`, `colour: unknown key "colour"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing: %s", want)
		}
	}
	for file, want := range map[string]string{
		"people: {base: ou=identifiers}":                           "f:1:10: people: identifiers and people stand in one another",
		"mark: userPassword":                                       "f:1:7: mark: userPassword decides what an entry is",
		"people: {rdn: 'uid={{lower:username}}'}":                  "would give it a second one",
		"people: {rdn: 'uid={{username}},ou=x'}":                   "an entry is named by one attribute",
		"people: {rdn: 'uid={{username|sn}}{{sn}}'}":               "two people could get the same name",
		"people: {rdn: 'mail={{username}}'}\nkeys: {email: mail}":  "mail names the entry",
		"lock: {reason: description}\ntemplates: {description: x}": "description is supplied by lock.reason already",
		"constants: {o: x}\ntemplates: {O: y}":                     "O is supplied by constants.o already",
		"keys: {email: [mail], unique: [mail]}":                    "mail is listed for keys of kind email already",
		"attributes: {a: sn, b: sn}":                               `sn holds "a" already`,
		"attributes: {a: uidNumber}":                               "what people enter cannot go into uidNumber",
		"attributes: {username: cn}":                               "is a computed value",
		"groups: {g: {dn: 'cn=g', kind: ad}}":                      "this server has no groups of the kind",
		"numbers: {uidNumber: {from: 5000, to: 2000}}":             "the range is empty",
		"password: {hash: argon2id, argon2id: 'm=1,t=1,p=1'}":      "not a cost that is possible",
		"readers: [example.org]":                                   "this is not the URL of a directory",
		"people: [x]":                                              "this is a list, not a mapping",
		"1: x":                                                     "not a text",
		"a: 1\n---\nb: 1":                                          "a second document begins here",
		"mark: &x employeeNumber":                                  "an anchor is not allowed here",
		"mark: !!str employeeNumber":                               "a tag is not allowed here",
		"mark: x\x01":                                              "a control character",
		"mark: \xff":                                               "not UTF-8",
		"[":                                                        "no valid YAML",
	} {
		_, err := entry.Decode("f", []byte(file), directory.OpenLDAP, base)
		if got := fmt.Sprint(err); !strings.Contains(got, want) {
			t.Errorf("%q: the error is %s, want %q", file, got, want)
		}
	}
	for _, f := range faults {
		if f.Problem == "" || f.Fix == "" || f.Line == 0 {
			t.Errorf("a fault without place, problem or fix: %+v", f)
		}
	}
	if t.Failed() {
		t.Logf("all faults:\n%v", err)
	}
}
