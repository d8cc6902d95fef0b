package guard

import (
	"net/http"

	"golang.org/x/text/language"
)

// PreferredLanguage returns the language that the request asks for first (BCP 47, canonical), or "" when it asks for
// none or what it says is no language.
func PreferredLanguage(r *http.Request) string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 || tags[0] == language.Und || tags[0] == anyLanguage {
		return ""
	}
	return tags[0].String()
}

// CanonicalLanguage returns the canonical form of a BCP 47 tag; false when it is none.
func CanonicalLanguage(tag string) (string, bool) {
	if len(tag) > maxLanguageTag {
		return "", false
	}
	t, err := language.Parse(tag)
	return t.String(), err == nil
}

// maxLanguageTag is the longest tag that RFC 5646, section 4.4.1, asks for.
const maxLanguageTag = 35

// anyLanguage is what the package language makes of "*".
var anyLanguage = language.Make("mul")
