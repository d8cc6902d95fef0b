package identifier

import (
	_ "embed" // the list of reserved names
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.mau.fi/util/confusable"
	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"

	"github.com/narthex/narthex/plugin"
)

// DefaultUsernamePattern is what useradd, shells, home directories and Kerberos all take: an ASCII letter, then letters,
// digits and single separators, ending in a letter or a digit.
const DefaultUsernamePattern = `^[a-z][a-z0-9]*([._-][a-z0-9]+)*$`

// maxUsernameBytes bounds a username before anything looks at it.
const maxUsernameBytes = 128

// uuidShape is how a UUID looks, with and without its hyphens. Nobody may choose one: stores and flows make them.
var uuidShape = regexp.MustCompile(`^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$`)

// generatedShape is what a flow may draw: everything in DefaultUsernamePattern, and UUIDs.
var generatedShape = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

//go:embed reserved.txt
var reservedList string

// Username reads the name that a person chooses for a new account.
func (r *Rules) Username(s string) (Identifier, error) {
	name, err := mapUsername(s)
	if err != nil {
		return Identifier{}, err
	}
	if n := utf8.RuneCountInString(name); n < r.min {
		return Identifier{}, refuse(CodeMinLength, "too short a name")
	} else if n > r.max {
		return Identifier{}, refuse(CodeMaxLength, "too long a name")
	}
	if !r.pattern.MatchString(name) || uuidShape.MatchString(name) || allDigits(name) || !oneScript(name) {
		return Identifier{}, refuse(CodeUsername, "a form that names do not have here")
	}
	if r.reserved[bare(name)] {
		return Identifier{}, refuse(CodeReserved, "a reserved name")
	}
	if r.reservedLooks[skeleton(name)] {
		return Identifier{}, refuse(CodeConfusable, "it looks like a reserved name")
	}
	return Identifier{plugin.KindUsername, canonicalVersion + name, name}, nil
}

// Generated reads a name that a flow has drawn; a UUID is one.
func (r *Rules) Generated(s string) (Identifier, error) {
	name, err := mapUsername(s)
	if err != nil {
		return Identifier{}, err
	}
	if name != s || len(name) > 64 || !generatedShape.MatchString(name) {
		return Identifier{}, refuse(CodeUsername, "a generated name has lower-case letters, digits and . _ - only, up to 64")
	}
	return Identifier{plugin.KindUsername, canonicalVersion + name, name}, nil
}

// mapUsername maps a name to its one form (RFC 8265, section 3.3), which has neither "@" nor a leading "+".
func mapUsername(s string) (string, error) {
	if s == "" {
		return "", refuse(CodeRequired, "no name")
	}
	if len(s) > maxUsernameBytes {
		return "", refuse(CodeMaxLength, "too long a name")
	}
	name, err := precis.UsernameCaseMapped.String(s)
	if err != nil || name == "" {
		return "", refuse(CodeUsername, "characters that a name cannot have")
	}
	if strings.ContainsAny(name, "@:/\\%=,#") || strings.HasPrefix(name, "+") {
		return "", refuse(CodeUsername, "a character that other names or paths use")
	}
	return name, nil
}

// reservedNames returns the built-in and the site's names, without punctuation and as what they look like.
func reservedNames(extra []string) (names, looks map[string]bool) {
	names, looks = map[string]bool{}, map[string]bool{}
	for name := range strings.FieldsSeq(reservedList) {
		extra = append(extra, name)
	}
	for _, name := range extra {
		name = strings.ToLower(strings.TrimSpace(name))
		names[bare(name)], looks[skeleton(name)] = true, true
	}
	delete(names, "")
	delete(looks, "")
	return names, looks
}

// bare is a name without punctuation.
func bare(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPunct(c) || unicode.IsSymbol(c) {
			return -1
		}
		return c
	}, name)
}

// skeleton is what a bare name looks like (UTS 39, section 4), a zero and an o included.
func skeleton(name string) string { return strings.ToLower(confusable.Skeleton(bare(name))) }

func allDigits(name string) bool { return strings.Trim(name, "0123456789") == "" }

// oneScript refuses a name that mixes scripts (UTS 39, section 5.2, "single script").
func oneScript(name string) bool {
	var script *unicode.RangeTable
	for _, c := range name {
		if unicode.In(c, unicode.Common, unicode.Inherited) {
			continue
		}
		for _, table := range unicode.Scripts {
			if !unicode.Is(table, c) {
				continue
			}
			if script == nil {
				script = table
			} else if script != table {
				return false
			}
		}
	}
	return true
}

func foldCase(s string) string { return cases.Fold().String(s) }
