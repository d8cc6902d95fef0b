package entry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// rendered is what a template for title makes of an account; false where it is left out.
func rendered(t *testing.T, template string, a plugin.NewAccount) (string, bool) {
	t.Helper()
	s := decode(t, directory.OpenLDAP, "numbers: {uidNumber: {}}\nonly_in_templates: [family, none]\ntemplates:\n  title: '"+template+"'\n")
	d, err := s.Build(a, entry.Inputs{Run: "run", Numbers: map[string]int64{"uidNumber": 12_345}, Now: time.Date(2026, 2, 28, 23, 59, 58, 0, time.UTC)})
	must(t, err)
	e := directory.Entry{Attributes: d.Attributes}
	return e.Value("title"), len(e.Values("title")) > 0
}

func TestTemplate(t *testing.T) {
	for template, want := range map[string]string{
		"{{givenName}} {{family}}":      "Ada Løvelace",
		"{{ givenName }}":               "Ada",
		"{{none|givenName|family}}":     "Ada",
		`{{none | "nobody }} {{ | x"}}`: "nobody }} {{ | x",
		"{{username}}-{{mail}}":         "ada-ada@example.org",
		"{{lower:family}}":              "løvelace",
		"{{ascii:family}}":              "Lovelace",
		"{{uidNumber}}":                 "12345",
		"{{attempt}}":                   strings.Repeat("0a", 16),
		"{{now:generalized-time}}":      "20260228235958Z",
		"{{now:date}} {{now:unix}}":     "2026-02-28 1772323198",
		"{{now:days}}":                  "20512",
		"{{none}}":                      "",
		"{{givenName}} {{none}}":        "",
		"plain { text } with | and :":   "plain { text } with | and :",
	} {
		t.Run(template+" becomes "+want, func(t *testing.T) {
			if got, there := rendered(t, template, account("ada")); got != want || there != (want != "") {
				t.Errorf("it becomes %q (%v)", got, there)
			}
		})
	}
	t.Run("a value that looks like a template stays a value", func(t *testing.T) {
		a := account("ada")
		a.Attributes["givenName"] = []plugin.Value{plugin.StringValue("{{username}}")}
		if got, _ := rendered(t, "{{givenName}}", a); got != "{{username}}" {
			t.Errorf("it becomes %q", got)
		}
	})
	t.Run("letters of many scripts become ASCII or nothing", func(t *testing.T) {
		for text, want := range map[string]string{"Zoë Ångström": "Zoe Angstrom", "Straße": "Strasse", "Łódź": "Lodz", "中文": "", "Ada\nB": "AdaB", "a  b": "a b"} {
			a := account("ada")
			a.Attributes["givenName"] = []plugin.Value{plugin.StringValue(text)}
			if got, _ := rendered(t, "{{ascii:givenName}}", a); got != want {
				t.Errorf("%q becomes %q, want %q", text, got, want)
			}
		}
	})
	t.Run("two random texts differ", func(t *testing.T) {
		one, _ := rendered(t, "{{random:uuid}}", account("ada"))
		two, _ := rendered(t, "{{random:uuid}}", account("ada"))
		if one == two || len(one) != 36 || one[14] != '4' {
			t.Errorf("%q and %q", one, two)
		}
	})
	for template, want := range map[string]string{
		"":                        "empty",
		"{{":                      "is not the name of an attribute",
		"{{a":                     "not closed",
		"{{a}":                    "not closed",
		"{{a}} }}":                `stands here without "{{"`,
		"{{}}":                    "is not the name of an attribute",
		"{{a|}}":                  "is not the name of an attribute",
		`{{"a}}`:                  "a text in quotes is not closed",
		`{{"a" b}}`:               "not closed",
		"{{a b}}":                 "is not the name of an attribute",
		"{{id}}":                  "not known yet",
		"{{now:noon}}":            "now:date",
		"{{upper:a}}":             "nothing is called",
		"{{lower:}}":              "is not the name of an attribute",
		"{{{a}}}":                 "is not the name of an attribute",
		strings.Repeat("x", 1001): "more than 1000 bytes",
		"{{a|{{b}}}}":             "is not the name of an attribute",
	} {
		t.Run("the template "+template+" is refused", func(t *testing.T) {
			if _, err := entry.ParseTemplate(template); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, want %q", err, want)
			}
		})
	}
}

func FuzzTemplateKeepsNames(f *testing.F) {
	for _, seed := range [][2]string{
		{"{{username}}", "ada,ou=admins"}, {"u-{{username}}", "a+uid=root"}, {"{{username}}", "\x00"}, {"{{username}}", " "}, {"{{username}}", "#616461"},
		{"{{username}}x", `\2c`}, {"{{username|sn}}", "\xff\xfe"}, {"{{lower:username}}", "İ"}, {"{{username}}", `"a,b"`}, {"{{username}}", "a;b=c\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, template, value string) {
		if strings.ContainsAny(template, "'\n\r") {
			return
		}
		s, err := entry.Decode("f", []byte("people:\n  rdn: 'cn="+template+"'\n"), directory.OpenLDAP, base)
		if err != nil {
			return
		}
		a := account("x")
		a.Keys[0].Value = value
		d, err := s.Build(a, entry.Inputs{Run: "run"})
		if err != nil {
			return
		}
		attribute, name := d.DN.RDN()
		if attribute != "cn" || !d.DN.Parent().Equal(s.People.Base) {
			t.Fatalf("%q with %q is named %q", template, value, d.DN)
		}
		e := directory.Entry{Attributes: d.Attributes}
		for _, v := range e.Values("cn") {
			if v == name {
				return
			}
		}
		t.Fatalf("%q with %q is named %q, and cn is %q", template, value, name, e.Values("cn"))
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "people: {base: ou=x}", "people:\n  rdn: uid={{username}}\ntemplates:\n  cn: [a, b]\n", "a: &x 1\nb: *x\n", "---\n---\n", "? 1\n", "<<: {}\n",
		"numbers: {uidNumber: {from: 1e3}}", "groups: {a: {dn: 'cn=a,,'}}", "keys: [mail]", "constants: !!str x", "\ufeffmark: x", "readers: [x]", "x: {x: {x: {x: 1}}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, kind := range []directory.Kind{directory.OpenLDAP, directory.DS389, directory.ActiveDirectory} {
			s, err := entry.Decode("f", file, kind, base)
			if err != nil {
				for line := range strings.SplitSeq(err.Error(), "\n") {
					if !strings.HasPrefix(line, "f:") || !strings.Contains(line, "; ") {
						t.Fatalf("a fault without place or fix: %q", line)
					}
				}
				continue
			}
			if !s.People.Base.Under(base) || !s.Pending.Under(s.Identifiers) || !s.Identifiers.Under(base) || len(s.People.ObjectClasses) == 0 {
				t.Fatalf("the settings are %+v", s)
			}
		}
	})
}
