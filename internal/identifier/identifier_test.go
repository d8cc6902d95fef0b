package identifier_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

func rules(t testing.TB, o identifier.Options) *identifier.Rules {
	t.Helper()
	r, err := identifier.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantCode checks that err is an *Error with this code, and that it shows nothing of what was entered.
func wantCode(t *testing.T, err error, code, entered string) {
	t.Helper()
	var refused *identifier.Error
	if !errors.As(err, &refused) {
		t.Errorf("%q: error %v, want code %s", entered, err, code)
		return
	}
	if refused.Code != code {
		t.Errorf("%q: code %s, want %s", entered, refused.Code, code)
	}
	if len(entered) > 12 && strings.Contains(err.Error(), entered) {
		t.Errorf("the error shows %q", entered)
	}
}

func TestEqualSpellingsShareOneKeyAndNoOthersDo(t *testing.T) {
	r := rules(t, identifier.Options{FoldSubaddress: []string{"plus.example"}, FoldDots: []string{"dots.example"}})
	parse := map[string]func(string) (identifier.Identifier, error){"email": r.Email, "username": r.Username, "phone": r.Phone}
	for _, c := range []struct {
		kind, a, b string
		equal      bool
	}{
		{"email", "Ada@Example.ORG", "ada@example.org", true},
		{"email", "ada@bücher.example", "ada@xn--bcher-kva.example", true},
		{"email", "ada@BÜCHER.example", "ada@bücher.example", true},
		{"email", "ada@bu\u0308cher.example", "ada@bücher.example", true},
		{"email", "ada@bücher.example", "ada@bucher.example", false},
		{"email", "a.da@example.org", "ada@example.org", false},
		{"email", "ada+x@example.org", "ada@example.org", false},
		{"email", "ada+x@plus.example", "ada@plus.example", true},
		{"email", "a.d.a@dots.example", "ada@dots.example", true},
		{"email", "a.d.a@plus.example", "ada@plus.example", false},
		{"email", "ada@example.org", "ada@example.com", false},
		{"username", "Ada", "ada", true},
		{"username", "ada-l", "adal", false},
		{"phone", "+49 30 1234567", "+49301234567", true},
		{"phone", "+49 (30) 123-45.67", "+49301234567", true},
		{"phone", "+49301234568", "+49301234567", false},
	} {
		a, err := parse[c.kind](c.a)
		if err != nil {
			t.Errorf("%q: %v", c.a, err)
		}
		b, err := parse[c.kind](c.b)
		if err != nil {
			t.Errorf("%q: %v", c.b, err)
		}
		if (a.Canonical == b.Canonical) != c.equal {
			t.Errorf("%q and %q have the keys %q and %q", c.a, c.b, a.Canonical, b.Canonical)
		}
		if !strings.HasPrefix(a.Canonical, "1:") {
			t.Errorf("the key %q does not begin with the version of its rules", a.Canonical)
		}
	}
}

func TestAnAddressIsKeptAsItWasEntered(t *testing.T) {
	got, err := rules(t, identifier.Options{FoldSubaddress: []string{"example.org"}}).Email("Ada.L+Shop@Example.org")
	if err != nil || got.Value != "Ada.L+Shop@Example.org" || got.Canonical != "1:ada.l@example.org" || got.Kind != plugin.KindEmail {
		t.Errorf("Email = %+v, %v", got, err)
	}
}

func TestAnAddressIsStoredInASCIIWhateverItsDomainIs(t *testing.T) {
	r := rules(t, identifier.Options{})
	for entered, want := range map[string]string{"Ada.L@BÜCHER.example": "Ada.L@xn--bcher-kva.example", "ada@bu\u0308cher.example": "ada@xn--bcher-kva.example", "Ada@Example.ORG": "Ada@Example.ORG"} {
		got, err := r.Email(entered)
		if err != nil || got.Key("mail", true).Value != want {
			t.Errorf("%q is stored as %+v, %v", entered, got.Key("mail", true), err)
		}
		if again, err := r.Email(want); err != nil || again.Canonical != got.Canonical {
			t.Errorf("%q and %q have other keys: %+v, %+v, %v", entered, want, got, again, err)
		}
	}
}

func TestKindsAreToldApartByShape(t *testing.T) {
	r := rules(t, identifier.Options{})
	for entered, kind := range map[string]plugin.KeyKind{"Ada@example.org": plugin.KindEmail, "+49 30 1234567": plugin.KindPhone,
		"ada": plugin.KindUsername, "admin": plugin.KindUsername, "550e8400-e29b-41d4-a716-446655440000": plugin.KindUsername} {
		got, err := r.Login(entered)
		if err != nil || got.Kind != kind {
			t.Errorf("Login(%q) = %+v, %v, want a %s", entered, got, err, kind)
		}
	}
	for _, name := range []string{"ada@example.org", "+49301234567", "ada@", "@"} {
		if got, err := r.Username(name); err == nil {
			t.Errorf("the username %q is accepted as %+v", name, got)
		}
	}
}

func TestAUniqueValueIsEqualAsADirectoryWouldHaveIt(t *testing.T) {
	r := rules(t, identifier.Options{})
	key := func(attribute, text string) string { return r.Unique(attribute, plugin.StringValue(text)).Canonical }
	for _, c := range []struct {
		a, b  string
		equal bool
	}{{"E 1", "e  1", true}, {" E1 ", "e1", true}, {"Ｅ１", "e1", true}, {"Straße", "STRASSE", true}, {"e1", "e2", false}, {"é", "e", false}, {"Ꭰ", "ꭰ", true}, {"e\u00ad1", "e1", true}, {"e\u200b1", "e1", true}, {"\u1fb3", "\u1fbc", true}, {"e 1", "e1", false},
		{strings.Repeat("x", 5000), strings.Repeat("X", 5000), true}, {strings.Repeat("x", 5000), strings.Repeat("x", 4999), false}} {
		if got := key("employeeNumber", c.a) == key("employeenumber", c.b); got != c.equal {
			t.Errorf("%.20q and %.20q: equal is %v", c.a, c.b, got)
		}
	}
	if key("a", "x") == key("b", "x") {
		t.Error("two attributes share a key")
	}
	if n := len(key("employeeNumber", strings.Repeat("x", 5000))); n > plugin.MaxCanonicalBytes {
		t.Errorf("the key of a long value has %d bytes", n)
	}
	for _, other := range []string{"1:ada@example.org", "1:+49301234567", "1:ada"} {
		if key("mail", "ada@example.org") == other {
			t.Error("a unique value has the key of an identifier")
		}
	}
}

func TestTheFingerprintFollowsEquality(t *testing.T) {
	base := rules(t, identifier.Options{}).Fingerprint()
	if rules(t, identifier.Options{Reserved: []string{"x"}, UsernameMax: 10, Product: "p"}).Fingerprint() != base {
		t.Error("what does not change equality changes the fingerprint")
	}
	a, b := rules(t, identifier.Options{FoldDots: []string{"example.org"}}), rules(t, identifier.Options{FoldSubaddress: []string{"example.org"}})
	if a.Fingerprint() == base || b.Fingerprint() == base || a.Fingerprint() == b.Fingerprint() {
		t.Error("other foldings have the same fingerprint")
	}
}

func TestVariantsOfAMailboxCountTogether(t *testing.T) {
	r := rules(t, identifier.Options{})
	key := func(s string) string {
		id, err := r.Email(s)
		if err != nil {
			t.Fatal(err)
		}
		return r.LimitKey(id)
	}
	for _, variant := range []string{"A.d.A@example.org", "ada+1@example.org", "a.da+x+y@EXAMPLE.org"} {
		if key(variant) != key("ada@example.org") {
			t.Errorf("%s counts for itself", variant)
		}
	}
	if key("adb@example.org") == key("ada@example.org") || key("+x@example.org") == key("+y@example.org") {
		t.Error("two mailboxes count together")
	}
}

func TestCanonicalKeysAreStable(t *testing.T) {
	r := rules(t, identifier.Options{FoldSubaddress: []string{"plus.example"}})
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9.+_-]{1,12}@([a-zA-Zäöüß0-9-]{1,8}\.){1,2}(org|example|de)`),
			rapid.StringMatching(`\+[0-9 ()-]{5,20}`), rapid.StringMatching(`[A-Za-z0-9._-]{1,20}`), rapid.String(),
		).Draw(t, "s")
		id, err := r.Login(s)
		if err != nil {
			return
		}
		again, err := r.Login(strings.TrimPrefix(id.Canonical, "1:"))
		if err != nil || again.Canonical != id.Canonical || again.Kind != id.Kind {
			t.Fatalf("the key %q of %q reads as %q (%v)", id.Canonical, s, again.Canonical, err)
		}
		if upper, err := r.Login(strings.ToUpper(s)); err == nil && isASCII(s) && upper.Canonical != id.Canonical {
			t.Fatalf("%q in upper case has another key", s)
		}
	})
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(c rune) bool { return c > 127 }) < 0 }

func TestNothingThatIsTypedTakesLong(t *testing.T) {
	const limit, patience = time.Millisecond, 3 * time.Second
	r := rules(t, identifier.Options{FoldSubaddress: []string{"example.org"}})
	read := map[string]func(string) error{
		"email":    func(s string) error { _, err := r.Email(s); return err },
		"username": func(s string) error { _, err := r.Username(s); return err },
		"phone":    func(s string) error { _, err := r.Phone(s); return err },
		"login":    func(s string) error { _, err := r.Login(s); return err },
		"password": func(s string) error {
			_, err := r.Password(s, identifier.PasswordPolicy{Min: 1, Max: 1024})
			return err
		},
	}
	for kind, parse := range read {
		for _, s := range []string{strings.Repeat("(", 1<<20), strings.Repeat("a.", 1<<19) + "@b.org", "a@" + strings.Repeat("xn--a.", 41) + "org", "a@" + strings.Repeat("ü", 120) + ".org", "a@" + strings.Repeat("ü.", 80) + "org",
			"a@" + strings.Repeat("xn--tda.", 30) + "org", "a@[" + strings.Repeat("1:", 120) + "]", strings.Repeat("\u0345", 64), strings.Repeat("a\u0301", 42), strings.Repeat("a\u0301\u0323", 200), strings.Repeat("ß", 500),
			"+" + strings.Repeat("(", 31), "+1" + strings.Repeat("9", 30), strings.Repeat("a1", 30), strings.Repeat("0", 63) + "x", strings.Repeat("1!", 31), strings.Repeat("abc", 21)} {
			best := time.Hour // other work on the machine only ever makes it longer: a single quick try tells
			for end := time.Now().Add(patience); best > limit && time.Now().Before(end); {
				began := time.Now()
				_ = parse(s)
				best = min(best, time.Since(began))
			}
			if best > limit {
				t.Errorf("%s: %.20q takes %v", kind, s, best)
			}
		}
	}
}

func TestRulesAreSharedByAll(t *testing.T) {
	r := rules(t, identifier.Options{FoldDots: []string{"example.org"}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				name, errName := r.Login("ÀdaΣ")
				address, errAddress := r.Email("A.da@Example.org")
				password, errPassword := r.Password("Ein schönes Σ Passwort", identifier.PasswordPolicy{})
				key := r.Unique("x", plugin.StringValue("ÀΣς"))
				if errors.Join(errName, errAddress, errPassword) != nil || name.Canonical != "1:àdaσ" || address.Canonical != "1:ada@example.org" || password.Reveal() != "Ein schönes Σ Passwort" || key.Canonical != "1:x:àσσ" {
					t.Errorf("%+v %+v %+v %v %v %v", name, address, key, errName, errAddress, errPassword)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzUnique(f *testing.F) {
	for _, s := range []string{"E 1", "Ｅ１", "Straße", "ꭰ", "\u00ad\u200b", "a\u0345\u0301", "ṩ", " \t\n"} {
		f.Add(s)
	}
	r := rules(f, identifier.Options{})
	f.Fuzz(func(t *testing.T, s string) {
		id := r.Unique("x", plugin.StringValue(s))
		text := strings.TrimPrefix(id.Canonical, "1:x:")
		if len(id.Canonical) > plugin.MaxCanonicalBytes || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("the key of %q is %q", s, id.Canonical)
		}
		if again := r.Unique("X", plugin.StringValue(text)); again.Canonical != id.Canonical {
			t.Errorf("the key %q of %q is not stable: %q", id.Canonical, s, again.Canonical)
		}
	})
}

func FuzzLogin(f *testing.F) {
	for _, s := range []string{"Ada@Example.org", "a@xn--bcher-kva.example", "+49 30 1234567", "ada", "\u212a@example.org", "a@b", "+", "@", "a@xn--a.xn--b"} {
		f.Add(s)
	}
	r := rules(f, identifier.Options{})
	f.Fuzz(func(t *testing.T, s string) {
		id, err := r.Login(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(id.Canonical, "\x00\r\n\t ") || len(id.Canonical) > plugin.MaxCanonicalBytes {
			t.Errorf("the key of %q is %q", s, id.Canonical)
		}
		if again, err := r.Login(strings.TrimPrefix(id.Canonical, "1:")); err != nil || again.Canonical != id.Canonical {
			t.Errorf("the key %q of %q is not stable: %q, %v", id.Canonical, s, again.Canonical, err)
		}
	})
}
