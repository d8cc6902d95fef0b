package identifier_test

import (
	"strings"
	"testing"

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
		"digits alone":                                           {identifier.CodeUsername, []string{"12345", "0", "00"}[:1]},
		"the shape of a UUID":                                    {identifier.CodeUsername, []string{"550e8400-e29b-41d4-a716-446655440000"[:32], "0ada"}},
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

func TestNumbersThatBelongToNobodyAreRefused(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{"", "+", "030 1234567", "+49", "+4930123456789012345678901234567890", strings.Repeat("9", 40), "+" + strings.Repeat("9", 40),
		"+49 900 1234567", "+1 900 555 0123", "+49 800 1234567", "+870 773 111 632", "+881 6 12345678", "+49301234567;ext=5", "+49\u00a0301234567", "＋49301234567", "+４９301234567",
		"+49 30 12345a7", "+49301234567\n", "tel:+49301234567", "+999 123456789", "+1 555"} {
		if got, err := r.Phone(s); err == nil {
			t.Errorf("%q is accepted as %q", s, got.Canonical)
		}
	}
	got, err := r.Phone("+41 79 123 45 67")
	if err != nil || got.Canonical != "1:+41791234567" || got.Value != "+41 79 123 45 67" || got.Kind != plugin.KindPhone {
		t.Errorf("Phone = %+v, %v", got, err)
	}
}
