package entry_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

const posixFile = `people: {object_classes: [inetOrgPerson, posixAccount]}
attributes: {family: sn}
constants: {o: Example}
templates: {gecos: "{{nick|family}} {{givenName}}"}
only_in_templates: [nick]
groups: {staff: {dn: "cn=staff,ou=groups"}, more: {dn: "cn=more,ou=groups"}}
default_groups: [staff]
lock: {method: none}
`

// blamed returns the field and the code of an error.
func blamed(err error) (field, code string) {
	var refusal *plugin.FieldError
	if !errors.As(err, &refusal) {
		return "", ""
	}
	return refusal.Field, refusal.Code
}

func TestBuild(t *testing.T) {
	in := entry.Inputs{Run: "run", Numbers: map[string]int64{"uidNumber": 10_000}}
	text := func(field, value string) func(*plugin.NewAccount) {
		return func(a *plugin.NewAccount) { a.Attributes[field] = []plugin.Value{plugin.StringValue(value)} }
	}
	username := func(value string) func(*plugin.NewAccount) {
		return func(a *plugin.NewAccount) { a.Keys[0].Value = value }
	}
	for what, c := range map[string]struct {
		spoil       func(*plugin.NewAccount)
		field, code string
	}{
		"a class that people choose is refused":                    {text("objectClass", "x"), "objectClass", plugin.CodeForbidden},
		"a number that people choose is refused":                   {text("uidnumber", "0"), "uidnumber", plugin.CodeForbidden},
		"a shell that people choose is refused":                    {text("loginShell", "/bin/sh"), "loginShell", plugin.CodeForbidden},
		"a password as an attribute is refused":                    {text("userPassword", "x"), "userPassword", plugin.CodeForbidden},
		"a mark that people choose is refused":                     {text("employeeNumber", "x"), "employeeNumber", plugin.CodeForbidden},
		"a constant is not overridden":                             {text("o", "Evil"), "o", plugin.CodeForbidden},
		"an address beside the keys is refused":                    {text("mail", "x@example.org"), "mail", plugin.CodeForbidden},
		"an option or an injected line in an attribute is refused": {text("cn\nuidNumber", "0"), "cn\nuidNumber", plugin.CodeForbidden},
		"a value of another type is refused":                       {func(a *plugin.NewAccount) { a.Attributes["title"] = []plugin.Value{plugin.BoolValue(true)} }, "title", plugin.CodeInvalid},
		"a colon in a line of passwd is refused":                   {text("givenName", "x:0:0:"), "givenName", plugin.CodeInvalid},
		"a new line in a line of passwd is refused":                {text("givenName", "x\nroot"), "givenName", plugin.CodeInvalid},
		"the field with the colon is blamed": {func(a *plugin.NewAccount) {
			text("nick", "x")(a)
			text("givenName", "a:b")(a)
		}, "givenName", plugin.CodeInvalid},
		"a colon in a username is refused":                 {username("a:b"), "uid", plugin.CodeInvalid},
		"a username that leaves its home is refused":       {username("../root"), "uid", plugin.CodeInvalid},
		"a username that is a folder is refused":           {username(".."), "uid", plugin.CodeInvalid},
		"a username that is an option is refused":          {username("-rf"), "uid", plugin.CodeInvalid},
		"a key in an attribute that holds none is refused": {func(a *plugin.NewAccount) { a.Keys[1].Attribute = "title" }, "title", plugin.CodeUnknown},
		"a key in an attribute of another kind is refused": {func(a *plugin.NewAccount) { a.Keys[1].Attribute = "mobile" }, "mobile", plugin.CodeUnknown},
		"an unknown group is refused":                      {func(a *plugin.NewAccount) { a.Groups = []string{"wheel"} }, "wheel", plugin.CodeUnknown},
	} {
		t.Run(what, func(t *testing.T) {
			a := account("ada")
			c.spoil(&a)
			_, err := decode(t, directory.OpenLDAP, posixFile).Build(a, in)
			if field, code := blamed(err); field != c.field || code != c.code || !errors.Is(err, plugin.ErrInvalid) {
				t.Errorf("the error is %v (%s)", err, code)
			}
		})
	}
	t.Run("a username that is the name of a group is taken, in any case", func(t *testing.T) {
		for _, name := range []string{"members", "MEMBERS"} {
			a := account(name)
			s := decode(t, directory.OpenLDAP, "groups: {everybody: {dn: \"cn=members,ou=groups\"}}")
			_, err := s.Build(a, entry.Inputs{Run: "run"})
			if field := (*plugin.FieldError)(nil); !errors.Is(err, plugin.ErrExists) || !errors.As(err, &field) || field.Field != "uid" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("a value with a new line stays one value", func(t *testing.T) {
		a := account("ada")
		text("description", "x\nuidNumber: 0")(&a)
		d, err := decode(t, directory.OpenLDAP, posixFile).Build(a, in)
		must(t, err)
		e := directory.Entry{Attributes: d.Attributes}
		if got := e.Values("description"); !slices.Equal(got, []string{"x\nuidNumber: 0"}) || !slices.Equal(e.Values("uidNumber"), []string{"10000"}) {
			t.Errorf("description is %q, uidNumber %q", got, e.Values("uidNumber"))
		}
	})
	t.Run("a text that gets too long is not made, and the next one is", func(t *testing.T) {
		a := account("ada")
		text("family", strings.Repeat("x", plugin.MaxValueBytes))(&a)
		d, err := decode(t, directory.OpenLDAP, "attributes: {family: sn}\ntemplates: {cn: [\"{{givenName}} {{family}}\", \"{{username}}\"]}").Build(a, in)
		must(t, err)
		if got := (directory.Entry{Attributes: d.Attributes}).Values("cn"); !slices.Equal(got, []string{"ada"}) {
			t.Errorf("cn is %.100q", got)
		}
		_, err = decode(t, directory.OpenLDAP, "attributes: {family: sn}\ntemplates: {cn: \"{{givenName}} {{family}}\"}").Build(a, in)
		if field, code := blamed(err); field != "family" || code != plugin.CodeTooLong {
			t.Errorf("the error is %v (%s)", err, code)
		}
	})
	t.Run("every attribute stands once, with all its keys and the mark", func(t *testing.T) {
		a := account("ada")
		a.Keys = append(a.Keys, plugin.Key{Kind: plugin.KindEmail, Canonical: "1:b", Value: "b@example.org", Attribute: "mail", Login: true})
		a.Groups = []string{"more", "staff"}
		d, err := decode(t, directory.OpenLDAP, posixFile).Build(a, in)
		must(t, err)
		seen := map[string]bool{}
		for _, one := range d.Attributes {
			if seen[strings.ToLower(one.Name)] || len(one.Values) == 0 {
				t.Errorf("%s stands there twice or without a value", one.Name)
			}
			seen[strings.ToLower(one.Name)] = true
		}
		e := directory.Entry{Attributes: d.Attributes}
		if got := e.Values("mail"); !slices.Equal(got, []string{"ada@example.org", "b@example.org"}) || e.Value("employeeNumber") != "run" || !slices.Equal(d.Groups, []string{"staff", "more"}) {
			t.Errorf("mail %q, mark %q, groups %q", got, e.Value("employeeNumber"), d.Groups)
		}
	})
	t.Run("without its number there is no account, and a number out of range is none", func(t *testing.T) {
		for _, numbers := range []map[string]int64{nil, {"uidNumber": 0}, {"uidNumber": 60_000}} {
			if _, err := decode(t, directory.OpenLDAP, posixFile).Build(account("ada"), entry.Inputs{Run: "run", Numbers: numbers}); !errors.Is(err, plugin.ErrUnavailable) {
				t.Errorf("with %v the error is %v", numbers, err)
			}
		}
	})
	t.Run("a locked account is refused where nothing locks", func(t *testing.T) {
		a := account("ada")
		a.State = plugin.State{Locked: true}
		if _, err := decode(t, directory.OpenLDAP, posixFile).Build(a, in); !errors.Is(err, plugin.ErrInvalid) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a name that Active Directory cannot hold is refused before anything is written", func(t *testing.T) {
		s := decode(t, directory.ActiveDirectory, "")
		for name, code := range map[string]string{strings.Repeat("x", 21): plugin.CodeTooLong, "a/b": plugin.CodeInvalid, "a@b": plugin.CodeInvalid, "a\nb": plugin.CodeInvalid} {
			a := account(name)
			a.Attributes = nil
			_, err := s.Build(a, entry.Inputs{Run: "run"})
			if field, got := blamed(err); field != "uid" || got != code {
				t.Errorf("%q: the error is %v (%s)", name, err, got)
			}
		}
	})
	t.Run("an attribute that only templates use is not stored", func(t *testing.T) {
		a := account("ada")
		text("nick", "Countess")(&a)
		d, err := decode(t, directory.OpenLDAP, "only_in_templates: [nick, family]\ntemplates: {displayName: \"{{nick}}\"}").Build(a, in)
		must(t, err)
		e := directory.Entry{Attributes: d.Attributes}
		if e.Value("displayName") != "Countess" || len(e.Values("nick")) > 0 {
			t.Errorf("the entry is %v", d.Attributes)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("uid", "ada", "mail", "ada@example.org")
	f.Add("uid", "\xff", "cn;lang-de", "x")
	f.Add("UID", "a", "uid", "b")
	f.Add("memberOf", "cn=staff,ou=groups,dc=example,dc=org", "createTimestamp", "20260228235959Z")
	f.Add("userAccountControl", "x", "uid", "\x00")
	f.Add("pwdStartTime", "x", "shadowExpire", "-")
	f.Fuzz(func(t *testing.T, name, value, otherName, otherValue string) {
		e := directory.Entry{DN: "uid=x,ou=people,dc=example,dc=org", Attributes: []directory.Attribute{
			{Name: "entryUUID", Values: []string{"11111111-2222-3333-4444-555555555555"}}, {Name: "nsUniqueId", Values: []string{"1-2"}},
			{Name: "objectGUID", Values: []string{"0123456789abcdef"}}, {Name: name, Values: []string{value, otherValue}}, {Name: otherName, Values: []string{otherValue}},
		}}
		for _, kind := range []directory.Kind{directory.OpenLDAP, directory.DS389, directory.ActiveDirectory} {
			s, err := entry.Decode("f", []byte("groups: {staff: {dn: 'cn=staff,ou=groups'}}"), kind, base)
			must(t, err)
			a, err := s.Parse(e, in2026)
			if err == nil {
				err = a.Validate()
			}
			if err != nil && !errors.Is(err, entry.ErrNoAccount) {
				t.Fatalf("%v is read as %+v: %v", e, a, err)
			}
		}
	})
}

func TestParse(t *testing.T) {
	whole := func(more ...directory.Attribute) directory.Entry {
		return directory.Entry{DN: "uid=ada,ou=people,dc=example,dc=org", Attributes: append([]directory.Attribute{
			{Name: "entryUUID", Values: []string{"11111111-2222-3333-4444-555555555555"}}, {Name: "uid", Values: []string{"other", "ada"}},
		}, more...)}
	}
	s := decode(t, directory.OpenLDAP, "attributes: {family: sn}\ngroups: {staff: {dn: \"cn=staff,ou=groups\"}}")
	t.Run("the username is the one that names the entry", func(t *testing.T) {
		a, err := s.Parse(whole(), in2026)
		must(t, err)
		if a.Username != "ada" || len(a.Attributes["uid"]) != 2 {
			t.Errorf("the account is %+v", a)
		}
	})
	t.Run("what is no text, too long or the directory's own is left out", func(t *testing.T) {
		a, err := s.Parse(whole(
			directory.Attribute{Name: "jpegPhoto", Values: []string{"\xff\xd8\x00"}}, directory.Attribute{Name: "description", Values: []string{strings.Repeat("x", 5000)}},
			directory.Attribute{Name: "userCertificate;binary", Values: []string{"x"}}, directory.Attribute{Name: "cn;lang-de", Values: []string{"x"}},
			directory.Attribute{Name: "userpassword", Values: []string{"{SSHA}x"}}, directory.Attribute{Name: "objectclass", Values: []string{"top"}},
			directory.Attribute{Name: "employeenumber", Values: []string{"run"}}, directory.Attribute{Name: "sn", Values: []string{"Lovelace"}},
			directory.Attribute{Name: "memberOf", Values: []string{"CN=Staff, ou=groups,dc=example,dc=org", "cn=wheel,ou=groups,dc=example,dc=org"}},
			directory.Attribute{Name: "createTimestamp", Values: []string{"20260228235959Z"}},
		), in2026)
		must(t, err)
		must(t, a.Validate())
		if len(a.Attributes) != 2 || a.Attributes.Text("family") != "Lovelace" || !slices.Equal(a.Groups, []string{"staff"}) || a.CreatedAt.Year() != 2026 {
			t.Errorf("the account is %+v", a)
		}
	})
	t.Run("an entry without a username or an id is no account", func(t *testing.T) {
		for _, e := range []directory.Entry{{}, {Attributes: whole().Attributes[:1]}, {Attributes: whole().Attributes[1:]}} {
			if _, err := s.Parse(e, in2026); !errors.Is(err, entry.ErrNoAccount) {
				t.Errorf("the error is %v", err)
			}
		}
	})
}
