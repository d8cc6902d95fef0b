package plugintest

import (
	"fmt"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

func textRules() []rule {
	return []rule{
		{
			name:  "Create/values of every declared type come back equal",
			law:   "a value comes back with the type and the text that it was given",
			check: typedValues,
		},
		{
			name:  "Create/several values of an attribute come back as a set",
			law:   "an attribute is a set of values: none may get lost, and none may appear",
			check: severalValues,
		},
		{
			name:  "Create/two keys in one attribute both come back",
			law:   "several keys may name the same attribute, which then holds the values of all of them",
			check: twoKeysOneAttribute,
		},
		{
			name:  "Create/texts with characters of filters, names and statements come back byte for byte",
			law:   "a text is data: no character in it means anything to the store, and nothing is cut, folded or trimmed",
			check: oddTexts,
		},
		{
			name:  "Create/a text of 64 octets and one of the declared maximum come back whole",
			law:   "a store keeps texts up to the length that it declares, and never cuts one",
			check: longTexts,
		},
		{
			name:  "Create/identifiers with characters of filters and names are found and come back",
			law:   "an identifier is data: whoever has a parenthesis in a name is found by it, and nobody else is",
			check: oddIdentifiers,
		},
	}
}

func typedValues(t TB, s *store) {
	a := s.person()
	for kind, values := range map[plugin.ValueType][]plugin.Value{
		plugin.TypeBoolean:  {plugin.BoolValue(false)},
		plugin.TypeInteger:  {plugin.IntValue(-9223372036854775808)},
		plugin.TypeDate:     {plugin.DateValue(time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC))},
		plugin.TypeDateTime: {plugin.DateTimeValue(time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC))},
	} {
		if s.keeps(kind) {
			a.Attributes[s.names.Typed[kind]] = values
		}
	}
	made := s.create(t, a)
	equal(t, "Create", made, a.Account(made.ID, made.CreatedAt))
	s.is(t, "after Create", made)
}

func severalValues(t TB, s *store) {
	a := s.person()
	a.Attributes[s.names.Notes] = texts("zebra", "apple", "mango", "Apple pie", "1", "10")
	made := s.create(t, a)
	s.is(t, "after Create", a.Account(made.ID, made.CreatedAt))
}

func twoKeysOneAttribute(t TB, s *store) {
	a := s.person()
	a.Keys = append(a.Keys, s.email(fresh()))
	made, stored := s.createOrRefuse(t, a, s.names.Email)
	if !stored {
		return
	}
	s.is(t, "after Create", a.Account(made.ID, made.CreatedAt))
	s.holds(t, "after Create", made, a.Keys...)
}

// plainOddities are texts that every store keeps; spacing and foreignOddities a directory's schema may refuse.
var plainOddities = []string{
	`*`, `(`, `)`, `\`, `*)(uid=*`, `a\2ab`, `x,ou=people`, `a+b=c`, `"quoted"`, `'; DROP TABLE accounts; --`, `#1`, `<&;>`,
	`100%`, `a_b`, `{SSHA}x`, `${HOME}`, `{{.}}`, `null`, `true`, `0`, `-1`, `1e3`, `=?utf-8?q?x?=`,
}

var foreignOddities = []string{
	" leading", "trailing ", "  two  blanks  ", "tab\there", "line\nbreak", "carriage\r\nreturn", "Zoë", "Zoe\u0308", "Ångström",
	"\u212b", "中文", "שלום", "🙂", "\u200bzero width", "\ufeffmark", "\u202eoverride", "ﬁ", "ß", "İ", "\x01", "\x7f",
}

func oddTexts(t TB, s *store) {
	for _, text := range plainOddities {
		a := s.person()
		a.Attributes[s.names.GivenName], a.Attributes[s.names.FamilyName] = texts(text), texts("x"+text)
		made := s.create(t, a)
		s.is(t, fmt.Sprintf("with the text %q", text), a.Account(made.ID, made.CreatedAt))
	}
	for _, text := range foreignOddities {
		a := s.person()
		a.Attributes[s.names.FamilyName] = texts(text)
		if made, stored := s.createOrRefuse(t, a, s.names.FamilyName); stored {
			s.is(t, fmt.Sprintf("with the text %q", text), a.Account(made.ID, made.CreatedAt))
		}
	}
}

func longTexts(t TB, s *store) {
	for _, text := range []string{
		strings.Repeat("é", 32),
		strings.Repeat("x", s.Description.Limits.MaxValueBytes),
		strings.Repeat("é", s.Description.Limits.MaxValueBytes/2),
	} {
		a := s.person()
		a.Attributes[s.names.FamilyName] = texts(text)
		if made, stored := s.createOrRefuse(t, a, s.names.FamilyName); stored {
			s.is(t, fmt.Sprintf("with a text of %d bytes", len(text)), a.Account(made.ID, made.CreatedAt))
		}
	}
}

func oddIdentifiers(t TB, s *store) {
	for _, odd := range []string{
		`*`, `(x)`, `\`, `x,y`, `a+b`, `"q"`, `'q'`, `#x`, ` x`, `x `, `;--`, `%`, `_`, `é`, "e\u0301", `中`, strings.Repeat("y", 48), strings.Repeat("y", 200),
	} {
		if len(odd) > s.Description.Limits.MaxValueBytes/3 {
			continue
		}
		a := s.person()
		for i := range a.Keys {
			a.Keys[i].Value = odd + a.Keys[i].Value + odd
			a.Keys[i].Canonical = "1:" + odd + a.Keys[i].Canonical + odd
		}
		made, stored := s.createOrRefuse(t, a, s.names.Username, s.names.Email)
		if !stored {
			continue
		}
		what := fmt.Sprintf("with %q in the identifiers", odd)
		s.is(t, what, a.Account(made.ID, made.CreatedAt))
		s.holds(t, what, made, a.Keys...)
		if s.Authenticator != nil {
			s.opens(t, what, made.ID, a.Keys[1], a.Password)
		}
	}
	s.absent(t, "a star", plugin.Key{Kind: plugin.KindEmail, Canonical: "1:*", Value: "*"}, plugin.Key{Kind: plugin.KindEmail, Canonical: "%", Value: "%"})
}
