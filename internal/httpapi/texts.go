package httpapi

import (
	"net/http"

	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/flow"
)

// texts are the API's own texts in one language. Texts about fields come from the engine.
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
	languages   = []language.Tag{language.English}
	translation = []texts{english}
	matcher     = language.NewMatcher(languages)
)

func textsFor(r *http.Request) texts {
	_, i := language.MatchStrings(matcher, r.Header.Get("Accept-Language"))
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

var english = texts{
	titles: map[flow.Code]string{
		flow.CodeMalformed:        "The request is not of the form that is asked for.",
		flow.CodeLoginFailed:      "The name and the password do not match an account.",
		flow.CodeDisabled:         "Registration is closed.",
		codeCrossOrigin:           "The request came from another site.",
		codeUnknown:               "There is nothing here.",
		flow.CodeUnknownFlow:      "There is no registration of this name.",
		codeMethodNotAllowed:      "This cannot be done here.",
		flow.CodeUnexpectedStep:   "The registration is at another step.",
		flow.CodeIdentifierTaken:  "This is taken. Please choose another one.",
		flow.CodeRegistrationGone: "This registration is over. Please start again.",
		flow.CodeTooManyAttempts:  "Too many wrong codes. Please start again.",
		codeTooLarge:              "The request is too large.",
		codeUnsupportedMedia:      "The request is of a type that is not understood.",
		flow.CodeInvalidInput:     "Please check what you entered.",
		flow.CodeWrongCode:        "The code is wrong.",
		flow.CodeRateLimited:      "Too many requests. Please wait a little.",
		codeInternal:              "Something went wrong on our side.",
		flow.CodeUnavailable:      "This does not work right now. Nothing is lost; please try again shortly.",
	},
	details: map[detail]string{
		detailEmpty:         "The body is empty; a JSON object is asked for.",
		detailNotObject:     "The body is not a JSON object.",
		detailSyntax:        "This is not JSON",
		detailTrailing:      "Something follows the JSON object.",
		detailRepeated:      "This member is there twice",
		detailUnknownMember: "This member is not known",
		detailUTF8:          "This is not UTF-8",
		detailNUL:           "There is a NUL in this text",
		detailDepth:         "This is nested too deep",
		detailNull:          "null is no value here; leave the member out",
		detailNumber:        "This number is too large or too long",
		detailType:          "This value is of another type than asked for",
		detailMissing:       "This member is missing",
		detailNoMembers:     "No members are asked for here",
		detailPath:          "The path is not of the form that is asked for.",
		detailTwoTokens:     "Two different registration tokens were sent.",
		detailAuthorization: "There is more than one Authorization header.",
		detailLanguage:      "This is not a language tag (BCP 47)",
		detailMediaType:     "The body must be application/json in UTF-8.",
		detailEncoding:      "A content encoding is not taken.",
		detailSize:          "The body may have at most 16 KiB.",
	},
	at: ": ",
}
