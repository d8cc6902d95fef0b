package identifier_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/narthex/narthex/internal/identifier"
)

func TestWhatIsNoAddressIsRefused(t *testing.T) {
	r := rules(t, identifier.Options{})
	for rule, entered := range map[string][]string{
		"display names, groups, brackets, blanks, comments": {"Ada <ada@example.org>", "<ada@example.org>", "group:ada@example.org;", " ada@example.org",
			"ada@example.org ", "ada(comment)@example.org", "ada@(comment)example.org", "ada@example.org (Ada)"},
		"quoted local parts":               {`"ada"@example.org`, `"a@b"@example.org`, `"a b"@example.org`, `"a>b"@example.org`, `a\@b@example.org`},
		"encoded words":                    {"=?utf-8?q?ada?= <ada@example.org>", "=?utf-8?q?a=40b?=@example.org@x.org"},
		"address literals":                 {"ada@[192.0.2.1]", "ada@[IPv6:2001:db8::1]", "ada@192.0.2.1"},
		"single labels":                    {"ada@localhost", "ada@org"},
		"long parts":                       {strings.Repeat("a", 65) + "@example.org", strings.Repeat("a", 300) + "@example.org", "a@" + strings.Repeat("b", 64) + ".org", "a@" + strings.Repeat("b.", 130) + "org"},
		"hyphens at the end of labels":     {"ada@-example.org", "ada@example-.org", "ada@ex--ample.org-"},
		"two @":                            {"ada@example.org@evil.example", "a@b@c.org"},
		"dots at the wrong place":          {"ada@example.org.", "ada@.example.org", "ada@example..org", ".ada@example.org", "ada.@example.org", "a..da@example.org"},
		"a full-width @":                   {"ada＠example.org", "ada@example.org＠evil.org"},
		"invisible characters":             {"ada@exa\u200bmple.org", "ada@exam\u00adple.org", "a\u200dda@example.org", "ada@example.org\u200b", "ada@\u202eexample.org", "\ufeffada@example.org"},
		"control characters":               {"ada\x00@example.org", "ada@example.org\r\nBcc: x@evil.org", "ada@example.org\n", "a\tda@example.org", "ada@exa\x00mple.org"},
		"other dots and widths":            {"ada@example。org", "ada@example．org", "ada@ｅxample.org"},
		"no ASCII in the local part":       {"\u212aelvin@example.org", "a\u0131@example.org", "\u017fam@example.org", "ａda@example.org", "jürgen@example.org"},
		"false encodings":                  {"ada@xn--example-.com", "ada@xn--example.com", "ada@xn--.com", "ada@xn--ls8h.xn--a", "ada@xn--bcher-kvb.example.xn--"},
		"nothing":                          {"", "@", "ada@", "@example.org"},
		"bad UTF-8":                        {"ada@exam\xffple.org", "a\xffda@example.org"},
		"characters that stand for others": {"ada@ⅷ.example", "ada@ﬁne.example", "ada@exampl\u2091.org", "ada@①.example", "ada@ª.example", "ada@xn--bcher-kva.ﬁ.example"},
		"underscores in hosts":             {"ada@exa_mple.org"},
		"lists":                            {"ada@example.org,eve@evil.org", "ada@example.org;eve@evil.org", "ada@example.org eve@evil.org"},
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

func TestWhatIsTypedIsWhatIsDeliveredTo(t *testing.T) {
	r := rules(t, identifier.Options{FoldSubaddress: []string{"example.org"}, FoldDots: []string{"example.org"}})
	for _, s := range []string{"A.d.A+news@Example.ORG", "ada@BÜCHER.example", "ada@bu\u0308cher.example"} {
		if got, err := r.Email(s); err != nil || got.Value != s {
			t.Errorf("Email(%q) = %+v, %v", s, got, err)
		}
	}
}

func TestFoldingIsForExactlyTheNamedDomains(t *testing.T) {
	r := rules(t, identifier.Options{FoldSubaddress: []string{"Company.example", "bücher.example"}, FoldDots: []string{"company.example"}})
	for domain, folded := range map[string]bool{"company.example": true, "COMPANY.example": true, "evil-company.example": false, "company.example.evil.org": false, "sub.company.example": false, "companyxexample.org": false} {
		plain, err := r.Email("ada@" + domain)
		if err != nil {
			t.Fatal(err)
		}
		for _, variant := range []string{"a.da@", "ada+x@"} {
			if got, err := r.Email(variant + domain); err != nil || (got.Canonical == plain.Canonical) != folded {
				t.Errorf("%s%s: %q, %v", variant, domain, got.Canonical, err)
			}
		}
	}
	if a, err := r.Email("ada+x@xn--bcher-kva.example"); err != nil || a.Canonical != "1:ada@xn--bcher-kva.example" {
		t.Errorf("a domain in its other form: %q, %v", a.Canonical, err)
	}
}

func TestEveryLocalPartIsFolded(t *testing.T) {
	r := rules(t, identifier.Options{FoldSubaddress: []string{"example.org"}})
	for entered, want := range map[string]string{
		"1+x@example.org": "1:1@example.org", "11+x@example.org": "1:11@example.org", "a+b+c@example.org": "1:a@example.org",
		// What would be left is no local part.
		"+x@example.org": "1:+x@example.org", "a.+x@example.org": "1:a.+x@example.org",
	} {
		if got, err := r.Email(entered); err != nil || got.Canonical != want {
			t.Errorf("Email(%q) = %q, %v", entered, got.Canonical, err)
		}
	}
	for _, c := range [][2]string{{"1+x@example.com", "1+y@example.com"}, {"1.1+x@example.com", "11@example.com"}} {
		a, errA := r.Email(c[0])
		b, errB := r.Email(c[1])
		if errA != nil || errB != nil || r.LimitKey(a) != r.LimitKey(b) {
			t.Errorf("%s and %s count for themselves", c[0], c[1])
		}
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"Ada@Example.org", "a.b+c@xn--bcher-kva.example", "a@bücher.example", "\u212a@example.org", "a@b", "@", "a@xn--a.xn--b", "a.+b@plus.example", "1+x@plus.example", "a@ⅷ.example", "a@\u0130.example"} {
		f.Add(s)
	}
	r := rules(f, identifier.Options{FoldSubaddress: []string{"plus.example"}, FoldDots: []string{"plus.example"}})
	f.Fuzz(func(t *testing.T, s string) {
		id, err := r.Email(s)
		if err != nil {
			return
		}
		address := strings.TrimPrefix(id.Canonical, "1:")
		if id.Value != s || len(s) > 254 || len(address) > 254 || strings.Count(address, "@") != 1 || strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			t.Errorf("%q is accepted as %q", s, address)
		}
		if again, err := r.Email(address); err != nil || again.Canonical != id.Canonical {
			t.Errorf("the key %q of %q is not stable: %q, %v", id.Canonical, s, again.Canonical, err)
		}
		if shown := identifier.Display(s); len(shown) > len(s)+len("…") || strings.ContainsFunc(shown, unicode.IsControl) {
			t.Errorf("%q is shown as %q", s, shown)
		}
		limit := identifier.Identifier{Kind: id.Kind, Canonical: r.LimitKey(id)}
		if r.LimitKey(limit) != limit.Canonical {
			t.Errorf("the limit key %q has another limit key", limit.Canonical)
		}
	})
}

func TestDisplayHidesTheMailbox(t *testing.T) {
	for value, want := range map[string]string{"ada@example.org": "a…@example.org", "+49301234567": "+49…67", "x": "…"} {
		if got := identifier.Display(value); got != want {
			t.Errorf("Display(%q) = %q, want %q", value, got, want)
		}
	}
}
