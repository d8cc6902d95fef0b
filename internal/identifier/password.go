package identifier

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"github.com/narthex/narthex/plugin"
)

// Limits of a password (NIST SP 800-63B, section 3.1.1.2, asks for 15 and more where it is the only factor).
const (
	DefaultPasswordMin = 15
	DefaultPasswordMax = 256
	maxPasswordBytes   = plugin.MaxPasswordBytes
)

// PasswordPolicy bounds a password in characters (0: DefaultPasswordMin, DefaultPasswordMax), and names what else it
// must not be: the person's own names.
type PasswordPolicy struct {
	Min, Max int
	Context  []string
}

// Password judges and prepares a new password (RFC 8265, section 4.2: OpaqueString; blanks stay, spellings of one
// character become one). Nothing is ever cut off.
func (r *Rules) Password(s string, p PasswordPolicy) (plugin.Secret, error) {
	prepared, err := PrepareLoginPassword(s)
	if err != nil {
		return plugin.Secret{}, err
	}
	p.Min, p.Max = cmp.Or(p.Min, DefaultPasswordMin), cmp.Or(p.Max, DefaultPasswordMax)
	text := prepared.Reveal()
	switch n := utf8.RuneCountInString(text); {
	case n < p.Min:
		return plugin.Secret{}, refuse(CodeMinLength, "too short a password")
	case n > p.Max:
		return plugin.Secret{}, refuse(CodeMaxLength, "too long a password")
	case r.guessable(text, p.Context):
		return plugin.Secret{}, refuse(CodeCommon, "a password that is guessed first")
	}
	return prepared, nil
}

// PrepareLoginPassword prepares a password that somebody types to log in: only what no password can be is refused.
func PrepareLoginPassword(s string) (plugin.Secret, error) {
	if s == "" {
		return plugin.Secret{}, refuse(CodeRequired, "no password")
	}
	if !utf8.ValidString(s) {
		return plugin.Secret{}, refuse(CodePassword, "not UTF-8")
	}
	if len(s) > maxPasswordBytes {
		return plugin.Secret{}, refuse(CodeMaxLength, "too long a password")
	}
	text, err := precis.OpaqueString.String(s)
	if err != nil || text == "" || len(text) > maxPasswordBytes {
		return plugin.Secret{}, refuse(CodePassword, "characters that a password cannot have")
	}
	return plugin.NewSecret(text), nil
}

// guessable compares the whole password with what is tried first: common ones, one thing over and over, and the
// person's and the product's names.
func (r *Rules) guessable(text string, context []string) bool {
	folded := foldCase(text)
	if r.common.has(folded) || repeats(folded) {
		return true
	}
	for _, word := range slices.Concat(context, []string{r.product}) {
		word = foldCase(norm.NFC.String(word))
		local, _, _ := strings.Cut(word, "@")
		for _, name := range []string{word, local} {
			if name != "" && (folded == name || folded == bare(name) || squeeze(folded) == squeeze(name) || folded == name+name) {
				return true
			}
		}
	}
	return false
}
