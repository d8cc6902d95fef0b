package identifier_test

import (
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/identifier"
)

func TestWhatIsNoAddressIsRefused(t *testing.T) {
	r := rules(t, identifier.Options{})
	for rule, entered := range map[string][]string{
		"display names, groups, brackets, blanks, comments": {"Ada <ada@example.org>", "<ada@example.org>", "group:ada@example.org;", " ada@example.org",
			"ada@example.org ", "ada(comment)@example.org", "ada@(comment)example.org", "ada@example.org (Ada)"},
		"quoted local parts":           {`"ada"@example.org`, `"a@b"@example.org`, `"a b"@example.org`, `"a>b"@example.org`, `a\@b@example.org`},
		"encoded words":                {"=?utf-8?q?ada?= <ada@example.org>", "=?utf-8?q?a=40b?=@example.org@x.org"},
		"address literals":             {"ada@[192.0.2.1]", "ada@[IPv6:2001:db8::1]", "ada@192.0.2.1"},
		"single labels":                {"ada@localhost", "ada@org"},
		"long parts":                   {strings.Repeat("a", 65) + "@example.org", strings.Repeat("a", 300) + "@example.org", "a@" + strings.Repeat("b", 64) + ".org", "a@" + strings.Repeat("b.", 130) + "org"},
		"hyphens at the end of labels": {"ada@-example.org", "ada@example-.org", "ada@ex--ample.org-"},
		"two @":                        {"ada@example.org@evil.example", "a@b@c.org"},
		"dots at the wrong place":      {"ada@example.org.", "ada@.example.org", "ada@example..org", ".ada@example.org", "ada.@example.org", "a..da@example.org"},
		"a full-width @":               {"ada＠example.org", "ada@example.org＠evil.org"},
		"invisible characters":         {"ada@exa\u200bmple.org", "ada@exam\u00adple.org", "a\u200dda@example.org", "ada@example.org\u200b", "ada@\u202eexample.org", "\ufeffada@example.org"},
		"control characters":           {"ada\x00@example.org", "ada@example.org\r\nBcc: x@evil.org", "ada@example.org\n", "a\tda@example.org", "ada@exa\x00mple.org"},
		"other dots and widths":        {"ada@example。org", "ada@example．org", "ada@ｅxample.org"},
		"no ASCII in the local part":   {"\u212aelvin@example.org", "a\u0131@example.org", "\u017fam@example.org", "ａda@example.org", "jürgen@example.org"},
		"false encodings":              {"ada@xn--example-.com", "ada@xn--example.com", "ada@xn--.com", "ada@xn--ls8h.xn--a", "ada@xn--bcher-kvb.example.xn--"},
		"nothing":                      {"", "@", "ada@", "@example.org"},
		"bad UTF-8":                    {"ada@exam\xffple.org", "a\xffda@example.org"},
		"underscores in hosts":         {"ada@exa_mple.org"},
		"lists":                        {"ada@example.org,eve@evil.org", "ada@example.org;eve@evil.org", "ada@example.org eve@evil.org"},
	} {
		t.Run(rule, func(t *testing.T) {
			for _, s := range entered {
				if got, err := r.Email(s); err == nil {
					t.Errorf("%q is accepted as %q", s, got.Canonical)
				} else if strings.Contains(err.Error(), "ada@example.org") {
					t.Errorf("the error shows the address: %v", err)
				}
			}
		})
	}
}

func TestWhatIsAnAddressIsAccepted(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{"a@b.co", "ada.lovelace+tag@mail.example.org", "o'hara@example.org", "a!#$%&'*+-/=?^_`{|}~b@example.org",
		strings.Repeat("a", 64) + "@example.org", "ada@1.example.org", "ada@3com.example", "ada@example.museum", "ada@münchen.example", "ada@例え.example"} {
		if _, err := r.Email(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestAHostileAddressCostsNothing(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{strings.Repeat("(", 1<<20), "a@" + strings.Repeat("xn--a.", 41) + "org", "a@" + strings.Repeat("ü", 120) + ".org", strings.Repeat("a.", 1<<19) + "@b.org"} {
		began := time.Now()
		for range 100 {
			_, _ = r.Email(s)
		}
		if took := time.Since(began) / 100; took > 20*time.Millisecond {
			t.Errorf("%.20q takes %v", s, took)
		}
	}
}

func TestDisplayHidesTheMailbox(t *testing.T) {
	for value, want := range map[string]string{"ada@example.org": "a…@example.org", "+49301234567": "+49…67", "x": "…"} {
		if got := identifier.Display(value); got != want {
			t.Errorf("Display(%q) = %q, want %q", value, got, want)
		}
	}
}
