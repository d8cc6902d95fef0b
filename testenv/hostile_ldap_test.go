package testenv_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// choosing is a flow whose people choose their usernames.
const choosing = `default: standard
limits: {login_failures_before_delay: off, login_failures_before_stop: off}
items:
  email:       {type: email, alias: true, required: true, attribute: mail}
  given_name:  {type: string, max: 64, required: true, attribute: givenName}
  family_name: {type: string, max: 64, required: true, attribute: sn}
  password:    {type: password, required: true}
flows:
  standard:
    title: Create your account
    stealth: true
    steps:
      - data: {name: about-you, items: [email, given_name, family_name]}
      - username: {attribute: uid}
      - verify-email: {item: email}
      - data: {name: password, items: [password]}
      - persist: {}
`

// unixAccounts puts what people type into everything that Unix reads.
const unixAccounts = `people: {object_classes: [inetOrgPerson, posixAccount]}
templates:
  cn: ["{{givenName}} {{sn}}", "{{username}}"]
  displayName: "{{givenName}} {{sn}}"
  gecos: ["{{ascii:givenName}} {{ascii:sn}}", "{{username}}"]
  homeDirectory: "/home/{{username}}"
  gidNumber: "{{uidNumber}}"
constants: {loginShell: /bin/sh}
numbers: {uidNumber: {from: 10000, to: 59999}}
groups: {staff: {dn: "cn=crew,ou=groups", kind: posixGroup}}
`

// hostileDirectory is a sidecar in front of slapd for people who type what no form was made for.
type hostileDirectory struct {
	*testing.T
	directory *testenv.Directory
	sidecar   *testenv.Sidecar
}

// TestHostileTextReachesADirectoryAsTextOnly types what means something to names, filters, LDIF, templates, passwd or
// nobody. What cannot be kept is refused at its step; what is kept is one entry right below people with exactly that text.
func TestHostileTextReachesADirectoryAsTextOnly(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t, testenv.WithPasswordPolicy(), testenv.WithIndexes("entryCSN"))
	env := append(directorySettings(t, d), inFile(t, "NARTHEX_PERSISTER_CONFIG", unixAccounts), inFile(t, "NARTHEX_FLOWS", choosing))
	d.Load(t, "dn: cn=crew,"+d.Groups+"\nobjectClass: posixGroup\ncn: crew\ngidNumber: 100\n")
	d.Load(t, doctorLDIF(t, env))
	h := hostileDirectory{directory: d, sidecar: testenv.Start(t, env...)}
	for name, test := range map[string]func(hostileDirectory){
		"usernames that nobody may choose": hostileDirectory.usernames, "addresses that the directory cannot hold": hostileDirectory.addresses,
		"names of people": hostileDirectory.peoplesNames, "passwords that look like hashes": hostileDirectory.passwords,
		"identifiers and passwords at a login": hostileDirectory.logins,
		"questions about the inside":           hostileDirectory.diagnostics, "the name of a group": hostileDirectory.group,
	} {
		t.Run(name, func(t *testing.T) { test(hostileDirectory{t, h.directory, h.sidecar}) })
	}
}

// everything lists the names of all entries.
func (h hostileDirectory) everything() []string {
	h.Helper()
	var all []string
	for line := range strings.Lines(h.directory.LDAPSearch(h, h.directory.Base, "(objectClass=*)", "1.1")) {
		if dn, ok := strings.CutPrefix(line, "dn"); ok {
			all = append(all, dn)
		}
	}
	slices.Sort(all)
	return all
}

// begin answers the first step.
func (h hostileDirectory) begin(email, given, family string) (*testenv.Client, testenv.Reply) {
	h.Helper()
	c := testenv.NewClient(h.sidecar.URL)
	if r, err := c.Start(); err != nil || r.Status != http.StatusCreated {
		h.Fatalf("start: %d %s %v", r.Status, r.Raw, err)
	}
	r, err := c.Items("about-you", map[string]any{"email": email, "given_name": given, "family_name": family})
	if err != nil {
		h.Fatal(err)
	}
	return c, r
}

// finish goes on after the username; the answer is that of the last step.
func (h hostileDirectory) finish(c *testenv.Client, email, password string) testenv.Reply {
	h.Helper()
	code, err := h.sidecar.Code(email)
	if err != nil {
		h.Fatal(err)
	}
	if r, err := c.Step("verify-email", map[string]any{"code": code}); err != nil || r.StepName() != "password" {
		h.Fatalf("verify-email: %d %s %v", r.Status, r.Raw, err)
	}
	r, err := c.Items("password", map[string]any{"password": password})
	if err != nil {
		h.Fatal(err)
	}
	return r
}

func (h hostileDirectory) usernames() {
	before := h.everything()
	c, r := h.begin("nameless@example.org", "Ada", "Lovelace")
	if r.StepName() != "username" {
		h.Fatalf("about-you: %d %s", r.Status, r.Raw)
	}
	for _, name := range []string{
		"\u0430dmin", "\u0430da", "аda", "юрiй", "\uff41\uff44\uff4d\uff49\uff4e", "admin", "Ad.Min", "r00t", // look-alikes and reserved names
		"", " ", "\u00ad", "\u200b", "\u0345", // nothing is left
		"\ufb01ne", "a\u200dda", "a\u202eda", "ada\u0301", "ada😀", "a\x00da", "ada\n", "ada\nmail: eve@example.org", // no plain letters
		"a/da", "../ada", "..", "a%da", "a:da", "ada:x:0:0", "a=da", "a+da", "a,da", "ada,ou=groups", "#da", "a#da", "-ada", "~ada", ".ada", // of paths and names
		"*", "a*", "(ada)", ")(uid=*", `a\2ada`, `"ada"`, `a\da`, " ada", "ada ", "a;da", "<ada>", // of filters
		"12345", "+49301234567", "0049301234567", "a50e8400-e29b-41d4-a716-446655440000", "ada@example.org", // of other names
		"staff", "users", "domain-admins", "wheel", "nobody", "daemon", // of groups and roles
		strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 20_000), "\u00e9ric",
	} {
		r, err := c.Step("username", map[string]any{"items": map[string]any{"username": name}})
		if err != nil || r.Status != http.StatusUnprocessableEntity && r.Status != http.StatusBadRequest && (len(name) < 20_000 || r.Status != http.StatusRequestEntityTooLarge) {
			h.Errorf("%.40q: %d %s %v", name, r.Status, r.Raw, err)
			c, _ = h.begin("nameless@example.org", "Ada", "Lovelace")
		}
	}
	if after := h.everything(); !slices.Equal(before, after) {
		h.Errorf("the directory had %q and has %q", before, after)
	}
}

func (h hostileDirectory) addresses() {
	for _, address := range []string{"jürgen@example.org", "юрий@example.org", "ada@", "(ada)@example.org", `"a,b"@example.org`, "ada@example.org\nuid: eve", "ada\x00@example.org", "a@b,ou=people"} {
		if _, r := h.begin(address, "Ada", "Lovelace"); r.Status != http.StatusUnprocessableEntity && r.Status != http.StatusBadRequest {
			h.Errorf("%q: %d %s", address, r.Status, r.Raw)
		}
	}
	// A domain of another script is delivered to as typed, which an attribute of ASCII cannot hold: whoever is accepted
	// at the beginning must be there in the end.
	const typed, stored = "ada@münchen.example", "ada@xn--mnchen-3ya.example"
	c, _ := h.begin(typed, "Ada", "Lovelace")
	if r, err := c.Step("username", map[string]any{"items": map[string]any{"username": "munich"}}); err != nil || r.Status != http.StatusOK {
		h.Fatalf("username: %d %s %v", r.Status, r.Raw, err)
	}
	if r := h.finish(c, stored, victim.Password); r.State != "completed" {
		h.Errorf("the address was accepted, and in the end it is %d %s", r.Status, r.Raw)
	}
	for _, address := range []string{typed, stored} {
		if r, err := c.Login(address, victim.Password); err != nil || r.Status != http.StatusOK {
			h.Errorf("login as %s: %d %s %v", address, r.Status, r.Raw, err)
		}
	}
}

func (h hostileDirectory) peoplesNames() {
	for i, name := range []string{
		"a,b", "a+b=c", `"quoted"`, `back\slash`, "#hash", "a;b<c>", "*", "(objectClass=*)", ")(uid=*))(|(uid=*", `\2a`, "Zoë Ångström", "中文", "😀", "ﷺ",
		strings.Repeat("x", 64), strings.Repeat("中", 64), "{{username}}", "{{.Password}}", "{SSHA}x", "$(id)", "x,ou=people,dc=lab,dc=test", "< x",
	} {
		email, username := fmt.Sprintf("name%d@example.org", i), fmt.Sprintf("person-%c%c", 'a'+i/20, 'a'+i%20)
		c, r := h.begin(email, name, name)
		if r.StepName() != "username" {
			h.Errorf("%q is refused: %d %s", name, r.Status, r.Raw)
			continue
		}
		if r, err := c.Step("username", map[string]any{"items": map[string]any{"username": username}}); err != nil || r.StepName() != "verify-email" {
			h.Errorf("%q: username: %d %s %v", name, r.Status, r.Raw, err)
			continue
		}
		if r := h.finish(c, email, victim.Password); r.State != "completed" {
			h.Errorf("%q: %d %s", name, r.Status, r.Raw)
			continue
		}
		h.isExactly(username, email, name)
	}
	h.colons()
	for _, name := range []string{"", "a\x00b", "a\nb", "mail: x\nuid: eve", "\x1b[2J", "a\u202eb", strings.Repeat("x", 65), strings.Repeat("中", 65)} {
		if _, r := h.begin("refused@example.org", name, "x"); r.Status != http.StatusUnprocessableEntity && r.Status != http.StatusBadRequest {
			h.Errorf("%.30q: %d %s", name, r.Status, r.Raw)
		}
	}
}

// colons would make fields of a line of passwd: the directory is not asked, and the person is led back to the name.
func (h hostileDirectory) colons() {
	before := h.everything()
	for i, name := range []string{"uid: eve", "a:0:0:/root:/bin/sh"} {
		email := fmt.Sprintf("colon%d@example.org", i)
		c, _ := h.begin(email, name, "Lovelace")
		if r, err := c.Step("username", map[string]any{"items": map[string]any{"username": fmt.Sprintf("colon%d", i)}}); err != nil || r.Status != http.StatusOK {
			h.Fatalf("%q: username: %d %s %v", name, r.Status, r.Raw, err)
		}
		if r := h.finish(c, email, victim.Password); r.Status != http.StatusUnprocessableEntity || len(r.Violations) != 1 || r.Violations[0].Field != "given_name" {
			h.Errorf("%q: %d %s", name, r.Status, r.Raw)
		}
	}
	if after := h.everything(); !slices.Equal(before, after) {
		h.Errorf("the directory had %q and has %q", before, after)
	}
}
