package entry

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Refusal turns the server's refusal of a write into the field to blame: the password for its policy, else the attribute
// that the server's text names. attributes are those that were sent. What is no refusal of content is returned as it is,
// and so is what cannot be blamed on anything that people entered: that is the settings' fault.
func (s *Settings) Refusal(err error, attributes []directory.Attribute) error {
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
	entered := slices.DeleteFunc(slices.Clone(attributes), func(a directory.Attribute) bool { return !s.open(a.Name) && !s.isKey(a.Name) })
	if name := mentioned(text, entered); name != "" {
		return fmt.Errorf("%w: %w", plugin.Refused(s.FlowAttribute(name), plugin.CodeInvalid), err)
	}
	return err
}

func (s *Settings) isKey(attribute string) bool {
	_, is := s.KeyKind(attribute)
	return is
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

// mentioned returns the attribute whose name stands first in a text in lower case.
func mentioned(text string, attributes []directory.Attribute) string {
	found, at := "", len(text)
	for _, a := range attributes {
		if i := wordIn(text, strings.ToLower(a.Name)); i >= 0 && i < at {
			found, at = a.Name, i
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
