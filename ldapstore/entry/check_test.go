package entry_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

// use is an item of the flow "f" whose name is its attribute's.
func use(attribute string, t plugin.ValueType, change ...func(*plugin.AttributeUse)) plugin.AttributeUse {
	u := plugin.AttributeUse{Item: attribute, Flow: "f", Step: "data", Attribute: attribute, Type: t, MaxBytes: 64}
	for _, c := range change {
		c(&u)
	}
	return u
}

func required(u *plugin.AttributeUse) { u.Required = true }

func key(kind plugin.KeyKind) func(*plugin.AttributeUse) {
	return func(u *plugin.AttributeUse) { u.Key = kind }
}

func encoded(e plugin.Encoding) func(*plugin.AttributeUse) {
	return func(u *plugin.AttributeUse) { u.Encoding = e }
}

// usual is a flow that fits an inetOrgPerson.
func usual(more ...plugin.AttributeUse) []plugin.AttributeUse {
	return append([]plugin.AttributeUse{
		use("uid", plugin.TypeString, required, key(plugin.KindUsername)), use("mail", plugin.TypeString, required, key(plugin.KindEmail)),
		use("givenName", plugin.TypeString), use("sn", plugin.TypeString), use("description", plugin.TypeString),
		use("", plugin.TypeString, required),
	}, more...)
}

func findings(r plugin.SchemaReport) string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, fmt.Sprintf("%s/%s %s: %s; %s", f.Flow, f.Item, f.Attribute, f.Problem, f.Fix))
	}
	return strings.Join(all, "\n")
}

// schema runs the rules of CheckSchema against the server's own.
func (l *lab) schema(t *testing.T) {
	schema, err := l.admin.Schema(t.Context())
	must(t, err)
	check := func(t *testing.T, file string, uses []plugin.AttributeUse) plugin.SchemaReport {
		t.Helper()
		s, err := entry.Decode("directory.yaml", []byte(file), l.server.Kind, directory.DN(l.dir.Base))
		must(t, err)
		report := s.CheckSchema(schema, uses)
		must(t, report.Validate())
		return report
	}
	t.Run("an empty file fits a flow of an address and a password", func(t *testing.T) {
		if r := check(t, "", usual()); len(r.Findings) > 0 {
			t.Errorf("findings:\n%s", findings(r))
		}
	})
	t.Run("the names of the conformance suite fit", func(t *testing.T) {
		file := "keys: {unique: [employeeNumber]}\nmark: preferredLanguage\n"
		if l.server.Kind == directory.ActiveDirectory {
			file = "keys: {unique: [employeeNumber]}\n"
		}
		names := plugintest.DefaultNames()
		r := check(t, file, []plugin.AttributeUse{
			use(names.Username, plugin.TypeString, required, key(plugin.KindUsername)), use(names.Email, plugin.TypeString, required, key(plugin.KindEmail)),
			use(names.Phone, plugin.TypeString, key(plugin.KindPhone)), use(names.Unique, plugin.TypeString, key(plugin.KindUnique)),
			use(names.GivenName, plugin.TypeString, required), use(names.FamilyName, plugin.TypeString, required), use(names.Notes, plugin.TypeString),
		})
		if len(r.Findings) > 0 {
			t.Errorf("findings:\n%s", findings(r))
		}
	})
	if l.server.Kind != directory.ActiveDirectory {
		l.posix(t, check)
	}
	for what, c := range l.unfitUses() {
		t.Run(what+" is found, with what to do", func(t *testing.T) {
			uses := usual(c.use)
			r := check(t, c.file, uses)
			if got := findings(r); !strings.Contains(got, c.want) || strings.Count(got, "\n") > 1 {
				t.Errorf("findings:\n%s\nwant %q", got, c.want)
			}
		})
	}
	for what, c := range l.unfitSettings() {
		t.Run(what+" is found in the settings, with what to do", func(t *testing.T) {
			if got := findings(check(t, c.file, usual())); !strings.Contains(got, c.want) {
				t.Errorf("findings:\n%s\nwant %q", got, c.want)
			}
		})
	}
	if l.server.Kind != directory.ActiveDirectory {
		l.ascii(t, schema)
		l.demands(t, schema)
	}
	t.Run("a lock that the server does not have is no lock", func(t *testing.T) {
		bare := directory.ParseSchema(nil, nil, nil)
		if got := decode(t, directory.OpenLDAP, "").With(bare).Lock.Method; got != entry.LockNone {
			t.Errorf("the method is %s", got)
		}
		if got := decode(t, directory.OpenLDAP, "").With(schema).Lock.Method; got != entry.LockStart && l.server.Kind == directory.OpenLDAP {
			t.Errorf("the method is %s", got)
		}
	})
}

func (l *lab) demands(t *testing.T, schema *directory.Schema) {
	t.Run("every demanded attribute is told with what supplies it", func(t *testing.T) {
		s, err := entry.Decode("f", []byte("people: {object_classes: [inetOrgPerson, posixAccount]}\nattributes: {family: sn}\nconstants: {gidNumber: \"100\"}\ntemplates: {homeDirectory: \"/home/{{l}}\"}"), l.server.Kind, directory.DN(l.dir.Base))
		must(t, err)
		got := map[string]string{}
		for _, one := range s.Demands(schema, []plugin.AttributeUse{use("uid", plugin.TypeString, key(plugin.KindUsername)), use("family", plugin.TypeString, required), use("l", plugin.TypeString)}) {
			got[one.Attribute] = one.By
		}
		want := map[string]string{
			"sn": "item family of step data", "cn": "templates.cn", "uid": "item uid of step data", "uidNumber": "numbers.uidNumber",
			"gidNumber": "constants.gidNumber", "homeDirectory": "",
		}
		if !maps.Equal(got, want) {
			t.Errorf("they are %v, want %v", got, want)
		}
	})
}

func (l *lab) ascii(t *testing.T, schema *directory.Schema) {
	t.Run("a text that the attribute cannot hold is refused before anything is written, and the next template is tried", func(t *testing.T) {
		build := func(file string, change func(*plugin.NewAccount)) (directory.Entry, error) {
			s, err := entry.Decode("f", []byte("people: {object_classes: [inetOrgPerson, posixAccount]}\nattributes: {family: sn}\n"+file), l.server.Kind, directory.DN(l.dir.Base))
			must(t, err)
			a := account("ada")
			change(&a)
			d, err := s.With(schema).Build(a, entry.Inputs{Run: "r", Numbers: map[string]int64{"uidNumber": 10_000}})
			return directory.Entry{Attributes: d.Attributes}, err
		}
		as := func(*plugin.NewAccount) {}
		_, err := build("", func(a *plugin.NewAccount) { a.Keys[1].Value = "jürgen@example.org" })
		if field, _ := blamed(err); field != "mail" {
			t.Errorf("an international address: %v", err)
		}
		_, err = build("templates: {loginShell: \"{{givenName}} {{family}}\"}", as)
		if field, code := blamed(err); field != "family" || code != plugin.CodeInvalid {
			t.Errorf("a template with a text beyond ASCII: %v", err)
		}
		e, err := build("templates: {loginShell: [\"{{givenName}} {{family}}\", \"{{ascii:givenName}} {{ascii:family}}\"]}", as)
		if err != nil || e.Value("loginShell") != "Ada Lovelace" {
			t.Errorf("loginShell is %q, %v", e.Value("loginShell"), err)
		}
	})
}

func (l *lab) posix(t *testing.T, check func(*testing.T, string, []plugin.AttributeUse) plugin.SchemaReport) {
	t.Run("posixAccount needs nothing but its class", func(t *testing.T) {
		if r := check(t, "people: {object_classes: [inetOrgPerson, posixAccount]}", usual()); len(r.Findings) > 0 {
			t.Errorf("findings:\n%s", findings(r))
		}
	})
	t.Run("a syntax of its own writes typed values, and others need an encoding", func(t *testing.T) {
		uses := usual(use("shadowMax", plugin.TypeInteger), use("employeeType", plugin.TypeBoolean, encoded(plugin.EncodingUpperBoolean)),
			use("title", plugin.TypeDate, encoded(plugin.EncodingISODate)))
		r := check(t, "people: {object_classes: [inetOrgPerson, shadowAccount]}", uses)
		if len(r.Findings) > 0 || r.Encodings["shadowMax"] != plugin.EncodingDecimal || r.Encodings["title"] != plugin.EncodingISODate || r.Encodings["sn"] != "" {
			t.Errorf("encodings %v, findings:\n%s", r.Encodings, findings(r))
		}
	})
	t.Run("what the schema demands and nobody supplies names its field before anything is written", func(t *testing.T) {
		schema, err := l.admin.Schema(t.Context())
		must(t, err)
		s, err := entry.Decode("directory.yaml", []byte("templates: {sn: \"{{family}}\"}\nonly_in_templates: [family]"), l.server.Kind, directory.DN(l.dir.Base))
		must(t, err)
		a := account("musty")
		a.Attributes = nil
		_, err = s.With(schema).Build(a, entry.Inputs{Run: "r"})
		if got := fmt.Sprint(err); !strings.Contains(got, `field "family"`) {
			t.Errorf("the error is %v", err)
		}
	})
}

type unfitUse struct {
	file string
	use  plugin.AttributeUse
	want string
}

func (l *lab) unfitUses() map[string]unfitUse {
	if l.server.Kind == directory.ActiveDirectory {
		return map[string]unfitUse{
			"unknown attribute":               {"", use("birthday", plugin.TypeString), "the directory knows no attribute birthday"},
			"not allowed":                     {"", use("groupType", plugin.TypeInteger), "entries of the classes user cannot have groupType"},
			"the server's own":                {"", use("whenCreated", plugin.TypeDateTime), "only the server itself writes whenCreated"},
			"type without encoding":           {"", use("title", plugin.TypeDate), "say with encode"},
			"text into a number":              {"", use("codePage", plugin.TypeString), "the attribute holds whole numbers"},
			"text into a name":                {"", use("manager", plugin.TypeString), "the attribute holds names of entries"},
			"text that the server cuts":       {"", use("title", plugin.TypeString, func(u *plugin.AttributeUse) { u.MaxBytes = 1024 }), "set the item's max to 128"},
			"plain item in a key's attribute": {"", use("mobile", plugin.TypeString), "mobile is kept for keys of kind phone"},
			"item in the mark":                {"", use("adminDescription", plugin.TypeString), "the attribute is the mark of changes"},
			"item in the reason":              {"", use("adminDisplayName", plugin.TypeString), "keeps why an account is locked"},
			"item in the entry's name":        {"", use("cn", plugin.TypeString), "names the entry"},
			"item that would give rights":     {"", use("servicePrincipalName", plugin.TypeString), "gives rights on other machines"},
		}
	}
	return map[string]unfitUse{
		"unknown attribute":                 {"", use("birthday", plugin.TypeString), "the directory knows no attribute birthday"},
		"not allowed":                       {"", use("shadowMax", plugin.TypeInteger), "entries of the classes inetOrgPerson cannot have shadowMax; add one of these to people.object_classes: shadowAccount"},
		"the server's own":                  {"", use("modifyTimestamp", plugin.TypeDateTime), "only the server itself writes modifyTimestamp"},
		"another name of a key's attribute": {"", use("rfc822Mailbox", plugin.TypeString), "mail is kept for keys of kind email"},
		"another name":                      {"", use("surname", plugin.TypeString), "map it: attributes: {surname: sn}"},
		"type without encoding":             {"", use("title", plugin.TypeDate), "say with encode"},
		"encoding of another type":          {"", use("title", plugin.TypeDate, encoded(plugin.EncodingUpperBoolean)), "cannot be written as"},
		"text into a number":                {"people: {object_classes: [inetOrgPerson, shadowAccount]}", use("shadowMax", plugin.TypeString), "the attribute holds whole numbers"},
		"text into a name":                  {"", use("manager", plugin.TypeString), "the attribute holds names of entries"},
		"too long":                          {"", use("title", plugin.TypeString, func(u *plugin.AttributeUse) { u.MaxBytes = 5000 }), "lower the item's max"},
		"key that is not listed":            {"", use("carLicense", plugin.TypeString, key(plugin.KindUnique)), "add it: keys: {unique: [carLicense]}"},
		"plain item in a key's attribute":   {"", use("mobile", plugin.TypeString), "mobile is kept for keys of kind phone"},
		"item in the mark":                  {"", use("employeeNumber", plugin.TypeString), "the attribute is the mark of changes"},
		"item that would give rights":       {"people: {object_classes: [inetOrgPerson, posixAccount]}", use("loginShell", plugin.TypeString), "gives rights on other machines"},
		"item in a constant":                {"constants: {o: x}", use("o", plugin.TypeString), "supplied by constants"},
		"item kept nowhere":                 {"only_in_templates: [nick]", use("nick", plugin.TypeString), "kept nowhere"},
		"two in one place":                  {"attributes: {given_name: givenName}", use("given_name", plugin.TypeString), "givenName holds givenName already"},
		"computed name":                     {"", use("attempt", plugin.TypeString), "templates use"},
	}
}

type unfitSetting struct{ file, want string }

func (l *lab) unfitSettings() map[string]unfitSetting {
	if l.server.Kind == directory.ActiveDirectory {
		return map[string]unfitSetting{
			"unknown class":                {"people: {object_classes: [usr]}", "knows no object class usr"},
			"constant that is not allowed": {"constants: {groupType: \"2\"}", "cannot have groupType"},
			"template of an unknown one":   {"templates: {nick: x}", "templates uses nick, which the directory does not know"},
			"mark with several values":     {"mark: otherMobile", "a late change would not be noticed"},
		}
	}
	return map[string]unfitSetting{
		"unknown class":                 {"people: {object_classes: [inetOrgPersn]}", "knows no object class inetOrgPersn"},
		"no structural class":           {"people: {object_classes: [posixAccount]}", "is structural"},
		"constant that is not allowed":  {"constants: {gidNumber: \"100\"}", "cannot have gidNumber; add one of these to people.object_classes: "},
		"template of an unknown one":    {"templates: {nick: x}", "templates uses nick, which the directory does not know"},
		"mark with several values":      {"mark: carLicense", "a late change would not be noticed"},
		"number that is none":           {"numbers: {title: {}}", "use an attribute that holds whole numbers"},
		"template with nothing certain": {"templates: {sn: \"{{sn}}\"}", "sn, and this item may be left empty; set required: true"},
		"template of what is missing":   {"people: {object_classes: [inetOrgPerson, posixAccount]}\ntemplates: {homeDirectory: \"/h/{{l}}\"}", "its template has no text without l"},
		"demanded and not supplied":     {"people: {object_classes: [inetOrgPerson, strongAuthenticationUser]}", "the classes demand userCertificate, and nothing supplies it; add a required item"},
	}
}
