package directory

import (
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Equal holds for entries of which attribute has the value, as the attribute's own rule compares it. value may be any
// octets. An attribute's name that is none matches nothing.
func Equal(attribute, value string) Filter {
	if !isAttributeDescription(attribute) {
		return nothing()
	}
	return Filter{"(" + attribute + "=" + ldap.EscapeFilter(value) + ")"}
}

// Present holds for entries that have the attribute.
func Present(attribute string) Filter {
	if !isAttributeDescription(attribute) {
		return nothing()
	}
	return Filter{"(" + attribute + "=*)"}
}

// And holds where all do. Zero filters hold everywhere; And of none is the zero filter.
func And(filters ...Filter) Filter {
	var parts []string
	for _, f := range filters {
		if !f.IsZero() {
			parts = append(parts, f.text)
		}
	}
	switch len(parts) {
	case 0:
		return Filter{}
	case 1:
		return Filter{parts[0]}
	}
	return Filter{"(&" + strings.Join(parts, "") + ")"}
}

// Or holds where one does. Or of none matches nothing.
func Or(filters ...Filter) Filter {
	parts := make([]string, len(filters))
	for i, f := range filters {
		if f.IsZero() {
			return Filter{}
		}
		parts[i] = f.text
	}
	switch len(parts) {
	case 0:
		return nothing()
	case 1:
		return filters[0]
	}
	return Filter{"(|" + strings.Join(parts, "") + ")"}
}

// Not holds where f does not, and also not where the server cannot tell: a value that the attribute's syntax refuses.
func Not(f Filter) Filter {
	if f.IsZero() {
		return nothing()
	}
	return Filter{"(!" + f.text + ")"}
}

// nothing matches no entry: each has an objectClass. RFC 4526's "(|)" is not known everywhere.
func nothing() Filter { return Filter{"(!(objectClass=*))"} }

// isAttributeDescription tells whether name is an attribute's name, perhaps with options (RFC 4512, section 2.5).
func isAttributeDescription(name string) bool {
	parts := strings.Split(name, ";")
	for _, option := range parts[1:] {
		if option == "" || strings.Trim(option, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return false
		}
	}
	return isAttributeName(parts[0])
}
