package flow

import (
	"strings"
	"testing"
)

func TestEveryCodeHasItsWords(t *testing.T) {
	texts, err := NewTexts(nil, "fr")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{
		"required", "unknown", "type", "characters", "min_length", "max_length", "pattern", "min", "max", "enum", "email", "domain",
		"phone", "username", "reserved", "confusable", "password", "password_common", "equal", "different", "at_least_one",
		"taken", "invalid", "too_long", "too_short", "policy", "return_to",
	} {
		for _, locale := range []string{"en", "de", "fr", "tlh"} {
			plain := texts.violation(locale, "f", code, nil)
			counted := texts.violation(locale, "f", code, map[string]any{"Min": 3, "Max": 9})
			other := texts.violation(locale, "f", "a_stores_own_code", nil)
			if plain.Message == "" || plain.Message == other.Message || counted.Message == "" {
				t.Errorf("%s in %s: %q, %q", code, locale, plain.Message, counted.Message)
			}
			if (code == "min_length" || code == "max_length") && strings.Contains(plain.Message, "no value") {
				t.Errorf("%s without a number: %q", code, plain.Message)
			}
		}
	}
}

func TestLabelsFallBack(t *testing.T) {
	texts, err := NewTexts(nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string]string{
		"Vorname":        texts.label("de-AT", Text{"de": "Vorname", "en": "First name"}, "x"),
		"First name":     texts.label("fr", Text{"de": "Vorname", "en": "First name"}, "x"),
		"Email address":  texts.label("en", nil, "email"),
		"E-Mail-Adresse": texts.label("de", nil, "email"),
		"Shoe size":      texts.label("en", nil, "shoe_size"),
		"Plain":          texts.label("fr", Text{"": "Plain"}, "x"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestFailpointsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range append(Failpoints(), FurtherFailpoints()...) {
		if seen[p] {
			t.Errorf("%s stands there twice", p)
		}
		seen[p] = true
	}
}
