package entry

import (
	"errors"
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Refusal turns the server's refusal of a staged entry into the field to blame: the password for its policy, else what has
// filled the attribute that the server's text names. What is no refusal of content is returned as it is, and so is what
// cannot be blamed on anything that people entered: that is the settings' fault.
func (s *Settings) Refusal(err error, d Draft) error { return refusalOf(err, d.from) }

// ChangeRefusal is Refusal for changes of an entry.
func (s *Settings) ChangeRefusal(err error, changes []directory.Change) error {
	from := map[string]string{}
	for _, c := range changes {
		if _, isKey := s.KeyKind(c.Name); isKey || s.open(c.Name) {
			from[strings.ToLower(c.Name)] = s.FlowAttribute(c.Name)
		}
	}
	return refusalOf(err, from)
}

// refusalOf blames one of the attributes, by lower-case name, for a refusal.
func refusalOf(err error, from map[string]string) error {
	var refusal *directory.Error
	if !errors.As(err, &refusal) {
		return err
	}
	text := strings.ToLower(refusal.Diagnostic)
	switch refusal.Code {
	case directory.ConstraintViolation, directory.UnwillingToPerform:
		if code := passwordCode(text); code != "" {
			return fmt.Errorf("%w: %w", plugin.Refused(plugin.PasswordField, code), err)
		}
	case directory.InvalidAttributeSyntax, directory.ObjectClassViolation, directory.UndefinedAttributeType:
	default:
		return err
	}
	if name := mentioned(text, sortedNames(from)); name != "" {
		return fmt.Errorf("%w: %w", plugin.Refused(from[name], plugin.CodeInvalid), err)
	}
	return err
}

// PasswordRefusal is the refusal of a write of nothing but a password: whatever its text, the password is to blame.
func PasswordRefusal(err error) error {
	var refusal *directory.Error
	if !errors.As(err, &refusal) || refusal.Code != directory.ConstraintViolation && refusal.Code != directory.UnwillingToPerform {
		return err
	}
	code := passwordCode(strings.ToLower(refusal.Diagnostic))
	if code == "" && refusal.Code == directory.UnwillingToPerform {
		return err
	}
	if code == "" {
		code = plugin.CodePolicy
	}
	return fmt.Errorf("%w: %w", plugin.Refused(plugin.PasswordField, code), err)
}

// passwordCode finds out whether a server's text, in lower case, is about a password, and what is wrong with it.
func passwordCode(text string) string {
	about := strings.Contains(text, "password") || strings.Contains(text, "unicodepwd") || strings.Contains(text, "0000052d")
	switch {
	case !about:
		return ""
	case strings.Contains(text, "too short"), strings.Contains(text, "characters long"):
		return plugin.CodeTooShort
	case strings.Contains(text, "too long"):
		return plugin.CodeTooLong
	default:
		return plugin.CodePolicy
	}
}

// mentioned returns the attribute whose name stands first in a text; both are in lower case.
func mentioned(text string, names []string) string {
	found, at := "", len(text)
	for _, name := range names {
		if i := wordIn(text, name); i >= 0 && i < at {
			found, at = name, i
		}
	}
	return found
}

// wordIn finds a whole word.
func wordIn(text, word string) int {
	letter := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= 'a' && text[i] <= 'z' || text[i] >= '0' && text[i] <= '9' || text[i] == '-' || text[i] == '_')
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		if !letter(i-1) && !letter(i+len(word)) {
			return i
		}
		from = i + 1
	}
}
