package flow

import (
	"maps"
	"slices"

	"golang.org/x/text/language"
)

// fallbackLanguage is what a text is shown in when it does not exist in the wanted language.
const fallbackLanguage = "en"

// Text is a text of the flows file by language (BCP 47). A text without languages stands under "".
type Text map[string]string

// In returns the text in a language, in its base language, in English, or in whatever language there is.
func (t Text) In(locale string) string {
	if plain, ok := t[""]; ok {
		return plain
	}
	for _, candidate := range []string{locale, baseOf(locale), fallbackLanguage} {
		if s, ok := t[candidate]; ok {
			return s
		}
	}
	for _, any := range slices.Sorted(maps.Keys(t)) {
		return t[any]
	}
	return ""
}

// baseOf returns "de" for "de-AT".
func baseOf(locale string) string {
	tag, err := language.Parse(locale)
	if err != nil {
		return ""
	}
	base, _ := tag.Base()
	return base.String()
}
