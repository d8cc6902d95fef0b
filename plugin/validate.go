package plugin

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// broken returns an ErrInvalid that no single field is to blame for.
func broken(rule string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(rule, args...))
}

// Validate checks the form of an id.
func (id ID) Validate() error {
	if id == "" || len(id) > MaxNameBytes {
		return broken("an id has 1 to %d bytes", MaxNameBytes)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return broken("an id is visible ASCII")
		}
	}
	return nil
}

// Validate checks the form of an attempt.
func (a Attempt) Validate() error {
	if len(a) != 32 || strings.Trim(string(a), "0123456789abcdef") != "" {
		return broken("an attempt has 32 lower-case hexadecimal digits")
	}
	return nil
}

// Validate checks a key that is to be stored.
func (k Key) Validate() error {
	if !validName(k.Attribute) {
		return broken("a key names the attribute that holds it")
	}
	if k.Kind == KindUnique && k.Login {
		return Refused(k.Attribute, CodeInvalid)
	}
	return k.ValidateLookup()
}

// ValidateLookup checks a key that is only looked up: Kind, Canonical and Value.
func (k Key) ValidateLookup() error {
	switch k.Kind {
	case KindUsername, KindEmail, KindPhone, KindUnique:
	default:
		return broken("unknown kind of key %q", k.Kind)
	}
	if k.Canonical == "" || len(k.Canonical) > MaxCanonicalBytes || !validText(k.Canonical) {
		return broken("a canonical key has 1 to %d bytes of UTF-8 without NUL", MaxCanonicalBytes)
	}
	if len(k.Value) > MaxValueBytes {
		return k.refused(CodeTooLong)
	}
	if k.Value == "" || !validText(k.Value) {
		return k.refused(CodeInvalid)
	}
	return nil
}

// refused blames the key's attribute, if it has one.
func (k Key) refused(code string) error {
	if !validName(k.Attribute) {
		return broken("the value of a key has 1 to %d bytes of UTF-8 without NUL", MaxValueBytes)
	}
	return Refused(k.Attribute, code)
}

// Validate checks a password that is to be stored; the empty one passes. The error never contains it.
func (s Secret) Validate() error {
	if len(s.Reveal()) > MaxPasswordBytes {
		return Refused(PasswordField, CodeTooLong)
	}
	if !validText(s.Reveal()) {
		return Refused(PasswordField, CodeInvalid)
	}
	return nil
}

// Validate checks a state.
func (s State) Validate() error {
	switch {
	case len(s.Reason) > MaxReasonBytes || !validText(s.Reason):
		return broken("a reason has up to %d bytes of UTF-8 without NUL", MaxReasonBytes)
	case !s.Locked && s.Reason != "":
		return broken("an active account has no reason")
	}
	return nil
}

// Validate checks a query.
func (q ListQuery) Validate() error {
	if q.Limit < 1 || q.Limit > MaxPage {
		return broken("the limit of a page is 1 to %d", MaxPage)
	}
	if len(q.After) > MaxTokenBytes || !validText(q.After) {
		return broken("a page token has up to %d bytes of UTF-8 without NUL", MaxTokenBytes)
	}
	return nil
}

// validateIDs checks the argument of Statuses.
func validateIDs(ids []ID) error {
	if len(ids) > MaxStatuses {
		return broken("statuses are asked for up to %d ids", MaxStatuses)
	}
	seen := make(map[ID]bool, len(ids))
	for _, id := range ids {
		if err := id.Validate(); err != nil {
			return err
		}
		if seen[id] {
			return broken("an id is asked for once")
		}
		seen[id] = true
	}
	return nil
}

// validateGroups checks a set of groups.
func validateGroups(groups []string) error {
	if len(groups) > MaxGroups {
		return broken("up to %d groups", MaxGroups)
	}
	for i, g := range groups {
		if !validName(g) || slices.Contains(groups[:i], g) {
			return broken("groups are a set of names of 1 to %d bytes", MaxNameBytes)
		}
	}
	return nil
}

// validText tells whether s is UTF-8 without NUL.
func validText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// validName tells whether s can name an attribute or a group: 1 to MaxNameBytes bytes of UTF-8, no control characters,
// no space at either end.
func validName(s string) bool {
	return s != "" && len(s) <= MaxNameBytes && utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, unicode.IsControl)
}

// validCode tells whether s can be the Code of a FieldError.
func validCode(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// usable tells whether a password can be anybody's: others are denied before any store sees them. Directories take an
// empty one for an anonymous bind (RFC 4513, section 5.1.2).
func (s Secret) usable() bool { return !s.Empty() && s.Validate() == nil }

// validateSetPassword checks the arguments of SetPassword.
func validateSetPassword(id ID, p Secret, d Description) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if p.Empty() {
		return Refused(PasswordField, CodeTooShort)
	}
	if err := p.Validate(); err != nil {
		return err
	}
	return d.acceptsPassword(p)
}
