package identifier

import (
	_ "embed" // the list of common words
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"github.com/narthex/narthex/plugin"
)

// Limits of a password (NIST SP 800-63B, section 3.1.1.2, asks for 15 and more where it is the only factor).
const (
	DefaultPasswordMin = 15
	DefaultPasswordMax = 256
	maxPasswordBytes   = plugin.MaxPasswordBytes
)

//go:embed common.txt
var commonWords string

// PasswordPolicy bounds a password in characters, and names what else it must not be: the person's own names.
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

// guessable compares the whole password with what is tried first: common ones, the person's names, one thing over and
// over, and runs along the alphabet, the digits or the keyboard.
func (r *Rules) guessable(text string, context []string) bool {
	folded := foldCase(text)
	if r.common[folded] || repeats(folded) || runs(folded) {
		return true
	}
	for _, word := range slices.Concat(context, []string{r.product}) {
		word = foldCase(word)
		local, _, _ := strings.Cut(word, "@")
		if folded == word || folded == local || word != "" && (folded == bare(word) || folded == strings.Repeat(local, 2)) {
			return true
		}
	}
	return false
}

// repeats tells whether the text is one piece of up to a third of its length, over and over.
func repeats(text string) bool {
	for size := 1; size <= len(text)/3; size++ {
		if strings.HasPrefix(strings.Repeat(text[:size], len(text)/size+1), text) {
			return true
		}
	}
	return false
}

// tracks are what fingers run along.
var tracks = []string{"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"}

// runs tells whether the text goes along one track, in either direction, from its first character to its last.
func runs(text string) bool {
	for _, t := range tracks {
		for _, along := range []string{t + t, reverse(t + t)} {
			if strings.Contains(along, text) {
				return true
			}
		}
	}
	return false
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// commonEndings are what people add to a common word until it is long enough.
var commonEndings = []string{"", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "!", "!!", "123!", "1!", "2024", "2025", "2026"}

// commonPasswords expands the list of common words to the passwords people make of them.
func commonPasswords() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonWords) {
		word := foldCase(strings.TrimSpace(line))
		if word == "" || strings.HasPrefix(word, "#") {
			continue
		}
		joined := strings.ReplaceAll(word, " ", "")
		for _, form := range []string{word, joined, joined + joined} {
			for _, end := range commonEndings {
				all[form+end] = true
			}
		}
	}
	return all
}
