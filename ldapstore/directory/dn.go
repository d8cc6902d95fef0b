package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// ParseDN reads a distinguished name (RFC 4514) and writes it again in one spelling: no blanks around the separators, each
// value escaped in one way. Names and case stay as they are. The empty name is the rootDSE's.
func ParseDN(text string) (DN, error) {
	name, err := parse(text)
	if err != nil {
		return "", err
	}
	return name.text(), nil
}

// Child is the name of an entry below d. value may be any octets: it stays one value of one attribute. (389
// takes a value with NUL and then writes the name wrongly: refuse it before.)
func (d DN) Child(attribute, value string) DN {
	rdn := escapeType(attribute) + "=" + escapeValue(value)
	if d == "" {
		return DN(rdn)
	}
	return DN(rdn) + "," + d
}

// Parent is the name of the entry above, "" above the topmost one and for a name that is none.
func (d DN) Parent() DN {
	_, parent, err := d.split()
	if err != nil {
		return ""
	}
	return parent
}

// RDN is the attribute and the value that name the entry below its parent; of several ones the first. Both are empty for
// the empty name and for a name that is none.
func (d DN) RDN() (attribute, value string) {
	name, err := parse(string(d))
	if err != nil || len(name) == 0 {
		return "", ""
	}
	return name[0][0].Type, name[0][0].Value
}

// Equal compares as nearly every directory does: without regard to case, to blanks at a value's ends and to how many
// there are within, to escapes and to the order of the parts of one RDN. A name that is none equals nothing.
func (d DN) Equal(other DN) bool {
	a, errA := parse(string(d))
	b, errB := parse(string(other))
	return errA == nil && errB == nil && len(a) == len(b) && a.endsWith(b)
}

// Under tells whether d is base or lies below it, compared like Equal.
func (d DN) Under(base DN) bool {
	a, errA := parse(string(d))
	b, errB := parse(string(base))
	return errA == nil && errB == nil && a.endsWith(b)
}

// split returns the text of the first RDN and the rest.
func (d DN) split() (rdn string, parent DN, err error) {
	name, err := parse(string(d))
	if err != nil {
		return "", "", err
	}
	if len(name) == 0 {
		return "", "", errors.New("the empty name has no RDN")
	}
	return rdnText(name[0]), name[1:].text(), nil
}

// parsed is a distinguished name, the entry's own part first.
type parsed [][]*ldap.AttributeTypeAndValue

func parse(text string) (parsed, error) {
	name, err := ldap.ParseDN(text)
	if err != nil {
		return nil, fmt.Errorf("not a distinguished name: %w", err)
	}
	all := make(parsed, len(name.RDNs))
	for i, rdn := range name.RDNs {
		for _, a := range rdn.Attributes {
			if !isAttributeName(a.Type) {
				return nil, errors.New("not a distinguished name: an attribute's name is none")
			}
		}
		all[i] = rdn.Attributes
	}
	return all, nil
}

func (p parsed) text() DN {
	parts := make([]string, len(p))
	for i, rdn := range p {
		parts[i] = rdnText(rdn)
	}
	return DN(strings.Join(parts, ","))
}

func rdnText(rdn []*ldap.AttributeTypeAndValue) string {
	parts := make([]string, len(rdn))
	for i, a := range rdn {
		parts[i] = escapeType(a.Type) + "=" + escapeValue(a.Value)
	}
	return strings.Join(parts, "+")
}

// endsWith compares the last parts.
func (p parsed) endsWith(base parsed) bool {
	if len(p) < len(base) {
		return false
	}
	for i, rdn := range p[len(p)-len(base):] {
		if !(&ldap.RelativeDN{Attributes: folded(rdn)}).EqualFold(&ldap.RelativeDN{Attributes: folded(base[i])}) {
			return false
		}
	}
	return true
}

// folded drops the blanks that caseIgnoreMatch does not see (RFC 4518, section 2.6.1).
func folded(rdn []*ldap.AttributeTypeAndValue) []*ldap.AttributeTypeAndValue {
	all := make([]*ldap.AttributeTypeAndValue, len(rdn))
	for i, a := range rdn {
		fields := strings.FieldsFunc(a.Value, func(r rune) bool { return r == ' ' })
		all[i] = &ldap.AttributeTypeAndValue{Type: a.Type, Value: strings.Join(fields, " ")}
	}
	return all
}

// isAttributeName tells whether name is a short name or an object identifier (RFC 4512, section 1.4), without options.
func isAttributeName(name string) bool {
	if name == "" || name[0] == '-' {
		return false
	}
	numeric := name[0] >= '0' && name[0] <= '9'
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && numeric:
		case !numeric && (c == '-' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
		default:
			return false
		}
	}
	return true
}

// escapeType leaves a name alone. What is none becomes something that no server accepts, and that ends nothing early.
func escapeType(name string) string {
	if isAttributeName(name) {
		return name
	}
	return "not-an-attribute-name;" + fmt.Sprintf("%x", name)
}

// escapeValue escapes what RFC 4514, section 2.4 demands, control characters, and octets that are not UTF-8.
func escapeValue(value string) string {
	var b strings.Builder
	b.Grow(len(value) + 8)
	for i := 0; i < len(value); {
		c := value[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(value[i:])
			if r == utf8.RuneError && size == 1 {
				escapeOctet(&b, c)
			} else {
				b.WriteString(value[i : i+size])
			}
			i += size
			continue
		}
		edge := c == ' ' && (i == 0 || i == len(value)-1) || c == '#' && i == 0
		switch {
		case edge || strings.IndexByte(`"+,;<>=\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			escapeOctet(&b, c)
		default:
			b.WriteByte(c)
		}
		i++
	}
	return b.String()
}

func escapeOctet(b *strings.Builder, c byte) {
	const digits = "0123456789abcdef"
	b.WriteByte('\\')
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&15])
}
