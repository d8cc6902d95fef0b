package guard

import (
	"net/http"

	"golang.org/x/text/language"
)

// LanguageWish returns the request's Accept-Language header, or "" when it is none or longer than a person's wishes are.
func LanguageWish(r *http.Request) string {
	wish := r.Header.Get("Accept-Language")
	if len(wish) > maxLanguageWish {
		return ""
	}
	if _, _, err := language.ParseAcceptLanguage(wish); err != nil {
		return ""
	}
	return wish
}

const maxLanguageWish = 128

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
