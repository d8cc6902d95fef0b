package httpapi

import (
	"net/http"

	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

// texts are the API's own texts in one language, in a file of their own. Texts about fields come from the engine.
type texts struct {
	titles  map[flow.Code]string
	details map[detail]string
	at      string // put before the JSON pointer
}

// detail names a text about the form of a request.
type detail int

const (
	detailNone detail = iota
	detailEmpty
	detailNotObject
	detailSyntax
	detailTrailing
	detailRepeated
	detailUnknownMember
	detailUTF8
	detailNUL
	detailDepth
	detailNull
	detailNumber
	detailType
	detailMissing
	detailNoMembers
	detailPath
	detailTwoTokens
	detailAuthorization
	detailLanguage
	detailMediaType
	detailEncoding
	detailSize
)

// languages are those that there are texts in; the first serves everybody else. A further language is a further
// entry in both lists.
var (
	languages   = []language.Tag{language.English, language.German}
	translation = []texts{english, german}
	matcher     = language.NewMatcher(languages)
)

func textsFor(r *http.Request) texts {
	_, i := language.MatchStrings(matcher, guard.LanguageWish(r))
	return translation[i]
}

func (t texts) title(c flow.Code) string { return t.titles[c] }

// maxPointer bounds how much of a member's name comes back.
const maxPointer = 120

func (t texts) detail(d detail, pointer string) string {
	if d == detailNone || pointer == "" {
		return t.details[d]
	}
	if r := []rune(pointer); len(r) > maxPointer {
		pointer = string(r[:maxPointer]) + "…"
	}
	return t.details[d] + t.at + pointer
}
