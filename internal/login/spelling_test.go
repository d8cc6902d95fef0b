package login_test

import (
	"testing"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/internal/login"
	"github.com/narthex/narthex/sqlstore"
)

// setUpSpelled has, besides ada, zoë with an address whose domain is not ASCII.
func setUpSpelled(t *testing.T) *login.Login {
	t.Helper()
	l, store := setUpWith(t, flow.DefaultLimits())
	rules, err := identifier.New(identifier.Options{})
	if err != nil {
		t.Fatal(err)
	}
	zoe := person("c", "x")
	zoe.Keys = nil
	for attribute, name := range map[string]string{"uid": "zoë", "mail": "zoe@bücher.example"} {
		id, err := rules.Login(name) // a site's own pattern may allow zoë
		if err != nil {
			t.Fatal(err)
		}
		zoe.Keys = append(zoe.Keys, id.Key(attribute, true))
	}
	if _, err := store.Authenticator.(*sqlstore.Store).Create(t.Context(), zoe); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAllNamesOfAnAccountShareItsFailures(t *testing.T) {
	ada, zoe := []string{"ada", "ada@example.org"}, []string{"zoë", "zoe\u0308", "zoe@bücher.example", "zoe@xn--bcher-kva.example"}
	for rule, c := range map[string]struct{ names, blocked []string }{
		"letter case":              {[]string{"ada@example.org", "ADA@example.org", "Ada@EXAMPLE.org", "aDa@example.org", "ada@example.ORG"}, ada},
		"tags and dots":            {[]string{"ada@example.org", "a.da@example.org", "ada+1@example.org", "ada+2@example.org", "A.D.A@example.org"}, ada[1:]}, // these are other mailboxes, unless a domain is configured otherwise
		"the address and the name": {[]string{"ada", "ada@example.org", "ADA", "ada@EXAMPLE.org", "Ada"}, ada},
		"spellings of the name":    {[]string{"ada", "Ada", "aDA", "ADA", "AdA"}, ada},
		"full width":               {[]string{"ａｄａ", "ＡＤＡ", "aｄa", "Ａda", "ａda"}, ada},
		"the domain in ASCII":      {[]string{"zoe@xn--bcher-kva.example", "ZOE@XN--BCHER-KVA.example", "zoe@BÜCHER.example", "zoe@bücher.example", "Zoe@Xn--Bcher-Kva.Example"}, zoe},
		"a decomposed domain":      {[]string{"zoe@bu\u0308cher.example", "zoe@BU\u0308CHER.example", "Zoe@bu\u0308cher.example", "zoe@bücher.example", "zoe@Bu\u0308cher.Example"}, zoe},
		"a decomposed name":        {[]string{"zoe\u0308", "ZOE\u0308", "zoë", "ZOË", "ｚｏｅ\u0308"}, zoe},
	} {
		t.Run(rule, func(t *testing.T) {
			l := setUpSpelled(t)
			for _, name := range c.names {
				if got := try(t.Context(), t, l, name, wrong); got != "failed" {
					t.Errorf("%s: %s", name, got)
				}
			}
			for _, name := range c.blocked {
				if got := try(t.Context(), t, l, name, password); got != "1s" {
					t.Errorf("%s with the right password: %s", name, got)
				}
			}
		})
	}
}

func TestEverySpellingThatCountsForAnAccountOpensIt(t *testing.T) {
	l := setUpSpelled(t)
	for _, name := range []string{"ＡＤＡ", "ada@EXAMPLE.org", "zoë", "ZOE\u0308", "zoe@bücher.example", "zoe@BU\u0308CHER.example", "ZOE@xn--bcher-kva.example"} {
		if got := try(t.Context(), t, l, name, password); got != "in" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestSpellingsOfANameThatNobodyHasShareFailures(t *testing.T) {
	for rule, names := range map[string][]string{
		"letter case":         {"eve@example.org", "EVE@example.org", "Eve@EXAMPLE.org", "eVe@example.org", "eve@example.ORG"},
		"tags and dots":       {"eve@example.org", "e.ve@example.org", "eve+1@example.org", "eve+2@example.org", "E.V.E@example.org"},
		"full width":          {"eve", "ｅｖｅ", "ＥＶＥ", "eｖe", "Ｅve"},
		"the domain in ASCII": {"eve@bücher.example", "eve@xn--bcher-kva.example", "EVE@XN--BCHER-KVA.example", "eve@BÜCHER.example", "Eve@Xn--Bcher-Kva.Example"},
		"a decomposed domain": {"eve@bücher.example", "eve@bu\u0308cher.example", "eve@BU\u0308CHER.example", "Eve@bu\u0308cher.example", "eve@Bu\u0308cher.Example"},
		"a decomposed name":   {"chloë", "chloe\u0308", "CHLOE\u0308", "CHLOË", "ｃｈｌｏｅ\u0308"},
		"blanks around it":    {" eve", "eve ", " eve ", "\teve\n", "\u00a0EVE\u3000"},
	} {
		t.Run(rule, func(t *testing.T) {
			l := setUpSpelled(t)
			for _, name := range names {
				if got := try(t.Context(), t, l, name, password); got != "failed" {
					t.Errorf("%q: %s", name, got)
				}
			}
			for _, name := range names {
				if got := try(t.Context(), t, l, name, password); got != "1s" {
					t.Errorf("%q, once more: %s", name, got)
				}
			}
		})
	}
}

// Blanks belong to no name: what has them opens nothing. So it is nobody's name, whose failures keep nobody out, and no
// tries at anybody's password.
func TestANameWithBlanksAroundItIsNobodys(t *testing.T) {
	for _, name := range []string{"ada", "ada@example.org"} {
		t.Run(name, func(t *testing.T) {
			l := setUpSpelled(t)
			for _, blanks := range []string{" " + name, name + " ", "\t" + name, name + "\u3000", " " + name + "\n"} {
				if got := try(t.Context(), t, l, blanks, password); got != "failed" {
					t.Errorf("%q: %s", blanks, got)
				}
			}
			if got := try(t.Context(), t, l, " "+name+" ", password); got != "1s" {
				t.Errorf("the sixth: %s", got)
			}
			if got := try(t.Context(), t, l, name, password); got != "in" {
				t.Errorf("without blanks: %s", got)
			}
		})
	}
}
