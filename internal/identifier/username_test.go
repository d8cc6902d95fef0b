package identifier_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

func TestNamesThatNobodyMayChoose(t *testing.T) {
	r := rules(t, identifier.Options{Reserved: []string{"Our-Own"}})
	for rule, c := range map[string]struct {
		code    string
		entered []string
	}{
		"reserved, whatever their case and punctuation": {identifier.CodeReserved, []string{"admin", "Admin", "ROOT", "ad.min", "a-d-m-i-n", "postmaster", "hostmaster",
			"abuse", "webmaster", "www", "daemon", "no-reply", "noreply", "narthex", "our-own", "ourown", "www.data"}},
		"looking like a reserved one":          {identifier.CodeConfusable, []string{"adrnin", "r00t", "webrnaster", "supp0rt"}},
		"too short":                            {identifier.CodeMinLength, []string{"a"}},
		"too long":                             {identifier.CodeMaxLength, []string{strings.Repeat("a", 33), strings.Repeat("a", 129)}},
		"empty":                                {identifier.CodeRequired, []string{""}},
		"nothing but characters that map away": {identifier.CodeUsername, []string{"\u00ad", "\u200b", "\u0345", "\ufe0f"}},
		"other scripts and mixtures":           {identifier.CodeUsername, []string{"\u0430dmin", "аda", "adа", "ада", "αda", "ａｄａ\u0430"}},
		"ligatures, joiners, directions, marks, emoji, controls": {identifier.CodeUsername, []string{"ﬁne", "a\u200dda", "a\u202eda", "ada\u0301", "ada😀", "a\x00da", "ada\n", "a\tda", "a da"}},
		"characters of paths and other names":                    {identifier.CodeUsername, []string{"a/da", "../ada", "..", "a%da", "a:da", "a=da", "a,da", "a#da", "-ada", "~ada", ".ada", "ada.", "ada-", "a..da", "a+da", "+ada", "ada@x", "a\\da", `"ada"`, "ada*", "(ada)"}},
		"digits alone, or first":                                 {identifier.CodeUsername, []string{"12345", "00", "0ada", "0049301234567"}},
		"the shape of a UUID":                                    {identifier.CodeUsername, []string{"a50e8400e29b41d4a716446655440000", "A50E8400E29B41D4A716446655440000"}},
		"bad UTF-8":                                              {identifier.CodeUsername, []string{"ad\xffa"}},
	} {
		t.Run(rule, func(t *testing.T) {
			for _, s := range c.entered {
				_, err := r.Username(s)
				wantCode(t, err, c.code, s)
			}
		})
	}
}

func TestNamesThatPeopleMayChoose(t *testing.T) {
	r := rules(t, identifier.Options{})
	for entered, want := range map[string]string{"ada": "ada", "Ada": "ada", "ada.lovelace": "ada.lovelace", "ada_l-99": "ada_l-99", "u2": "u2", "ＡＤＡ": "ada", "o2x": "o2x"} {
		got, err := r.Username(entered)
		if err != nil || got.Value != want || got.Canonical != "1:"+want || got.Kind != plugin.KindUsername {
			t.Errorf("Username(%q) = %+v, %v", entered, got, err)
		}
	}
}

func TestGeneratedNamesMayBeUUIDs(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, name := range []string{"550e8400-e29b-41d4-a716-446655440000", "u8x0k2m4p6q8"} {
		got, err := r.Generated(name)
		if err != nil || got.Value != name {
			t.Errorf("Generated(%q) = %+v, %v", name, got, err)
		}
		if login, err := r.Login(name); err != nil || login.Canonical != got.Canonical {
			t.Errorf("nobody can log in as %q: %+v, %v", name, login, err)
		}
	}
	for _, name := range []string{"", "Ada", "a b", "../x", "é", strings.Repeat("a", 65), "-a"} {
		if _, err := r.Generated(name); err == nil {
			t.Errorf("Generated(%q) is accepted", name)
		}
	}
}

func TestTheReservedListIsLong(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, name := range []string{"administrator", "security", "hostmaster", "mailer-daemon", "ldap", "kubernetes", "domain-admins", "noc", "usenet", "ssladmin"} {
		if _, err := r.Username(name); err == nil {
			t.Errorf("%q can be chosen", name)
		}
	}
	if n := identifier.ReservedCount(); n < 600 {
		t.Errorf("only %d names are reserved", n)
	}
}

func TestAUnicodePatternStillAllowsOneScriptOnly(t *testing.T) {
	r := rules(t, identifier.Options{UsernamePattern: `^\pL+$`})
	if _, err := r.Username("юрий"); err != nil {
		t.Errorf("one script: %v", err)
	}
	_, err := r.Username("юрiй") // a Latin i
	wantCode(t, err, identifier.CodeUsername, "юрiй")
	_, err = r.Username("аdmin")
	wantCode(t, err, identifier.CodeUsername, "аdmin")
}

// No pattern of a site lets somebody choose what looks like another kind of name.
func TestNoPatternAllowsTheShapeOfAnotherName(t *testing.T) {
	r := rules(t, identifier.Options{UsernamePattern: `^.+$`, UsernameMax: 64})
	for _, s := range []string{"a50e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000", "12345", "+ada", "+49301234567", "ada@example.org", "ada:0:0", "../ada", "a/da", "a\\da"} {
		_, err := r.Username(s)
		wantCode(t, err, identifier.CodeUsername, s)
	}
	for _, s := range []string{"-ada", ".ada", "~ada"} { // the pattern's business
		if _, err := r.Username(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// One namespace holds all names: no name is read as one of another kind, and no two kinds share a key.
func TestANameIsOfOneKindOnly(t *testing.T) {
	r := rules(t, identifier.Options{UsernamePattern: `^.+$`, UsernameMax: 64})
	kinds := map[plugin.KeyKind]func(string) (identifier.Identifier, error){plugin.KindUsername: r.Username, plugin.KindEmail: r.Email, plugin.KindPhone: r.Phone}
	for _, s := range []string{"ada", "ada.lovelace", "ada@example.org", "+49301234567", "49301234567", "+ada", "@ada", "a+b", "a+b@example.org", "+1@example.org", "юрий"} {
		var read []plugin.KeyKind
		for kind, parse := range kinds {
			if _, err := parse(s); err == nil {
				read = append(read, kind)
			}
		}
		if len(read) > 1 {
			t.Errorf("%q is %v", s, read)
		}
		if login, err := r.Login(s); err == nil && len(read) == 1 && login.Kind != read[0] {
			t.Errorf("%q is a %s, and a %s at the login", s, read[0], login.Kind)
		}
	}
}

func TestNamesOnTheListCanStillLogIn(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{"admin", "12345", "a", strings.Repeat("a", 40), "a50e8400e29b41d4a716446655440000", "-ada"} {
		if got, err := r.Login(s); err != nil || got.Canonical != "1:"+s {
			t.Errorf("Login(%q) = %+v, %v", s, got, err)
		}
	}
}

func FuzzUsername(f *testing.F) {
	for _, s := range []string{"Ada", "ada.lovelace", "ＡＤＡ", "аdmin", "юрий", "\u0345", "a\u0301", "ﬁne", "550e8400-e29b-41d4-a716-446655440000", "12345", "ad.min", "İ", "ẞ"} {
		f.Add(s)
	}
	strict, open := rules(f, identifier.Options{}), rules(f, identifier.Options{UsernamePattern: `^[\pL\pM\pN._-]+$`})
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range []*identifier.Rules{strict, open} {
			id, err := r.Username(s)
			if err != nil {
				continue
			}
			if strings.ContainsAny(id.Value, "@:/\\%=,#") || strings.HasPrefix(id.Value, "+") || strings.ContainsFunc(id.Value, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }) {
				t.Errorf("%q is accepted as %q", s, id.Value)
			}
			if again, err := r.Username(id.Value); err != nil || again != id {
				t.Errorf("the name %q of %q is not stable: %+v, %v", id.Value, s, again, err)
			}
			if login, err := r.Login(s); err != nil || login != id {
				t.Errorf("%q logs in as %+v, %v", s, login, err)
			}
		}
		if id, err := strict.Username(s); err == nil && strings.Trim(id.Value, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
			t.Errorf("%q is accepted as %q", s, id.Value)
		}
	})
}
