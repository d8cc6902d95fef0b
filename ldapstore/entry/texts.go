package entry

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func namesOf[V any](m map[string]V) []string { return slices.Collect(maps.Keys(m)) }

// paths are attributes that other machines use as a file's name.
var paths = []string{"homeDirectory", "unixHomeDirectory"}

// lines are attributes that stand between colons in what other machines read as a line of passwd(5).
var lines = []string{"uid", "cn", "gecos", "homeDirectory", "unixHomeDirectory", "loginShell"}

func isPath(attribute string) bool { return listed(paths, attribute) }

// safePath tells whether every value that a template puts into a path is one plain name.
func (b *builder) safePath(t Template) bool {
	for _, p := range t.parts {
		if text, found := p.fill(b.known); p.references != nil && found && unsafeInPath(text) {
			return false
		}
	}
	return true
}

func unsafeInPath(text string) bool {
	return text == "." || text == ".." || strings.ContainsAny(text, "/\\") || strings.HasPrefix(text, "-") || strings.HasPrefix(text, "~")
}

// Lengths that Active Directory does not list in its subschema and demands; in characters.
const (
	maxAccountName = 20 // sAMAccountName of a user
	maxCommonName  = 64
)

// maxIndexed is what slapd's back-mdb can keep of an RDN, as written and as compared, in one record of 511 bytes. It does not
// refuse a longer one when the entry is staged, but fails when it is moved into its place.
const maxIndexed = 480

func (b *builder) fitsIndex(rdn string) bool {
	return 2*len(b.People.RDN.Attribute)+indexed(rdn)+indexed(norm.NFKC.String(strings.ToLower(rdn))) <= maxIndexed
}

// indexed counts the bytes of a value as slapd writes it: what RFC 4514 escapes takes three.
func indexed(value string) int {
	n := len(value)
	for i := range len(value) {
		if value[i] <= ' ' || value[i] == 0x7f || strings.IndexByte("\"+,;<>=\\#", value[i]) >= 0 {
			n += 2
		}
	}
	return n
}

// checkTexts refuses values that would be taken for something else where the entry is used.
func (b *builder) checkTexts() error {
	for _, lower := range b.order {
		p := b.parts[lower]
		for i, v := range p.values {
			if b.hasClass("posixAccount") && listed(lines, p.name) && breaksLine(v) {
				return plugin.Refused(b.field(p, i), plugin.CodeInvalid)
			}
		}
	}
	name := b.account.Username()
	if b.namesGroup(name) {
		return plugin.Taken(b.usernameField())
	}
	rdn, _ := b.People.RDN.Value.render(b.known)
	if b.Kind == directory.OpenLDAP && !b.fitsIndex(rdn) {
		return plugin.Refused(b.usernameField(), plugin.CodeTooLong)
	}
	if b.Kind != directory.ActiveDirectory {
		return nil
	}
	switch {
	case utf8.RuneCountInString(name) > maxAccountName && strings.EqualFold(b.People.Username, "sAMAccountName"),
		utf8.RuneCountInString(rdn) > maxCommonName:
		return plugin.Refused(b.usernameField(), plugin.CodeTooLong)
	case strings.ContainsAny(name, "\"/\\[]:;|=,+*?<>@") || breaksLine(name):
		return plugin.Refused(b.usernameField(), plugin.CodeInvalid)
	}
	return nil
}

// namesGroup tells whether a group of the settings has the name: what reads names may take one for the other, and an account
// must not pass for a group.
func (s *Settings) namesGroup(name string) bool {
	for _, g := range s.Groups {
		if _, group := g.DN.RDN(); strings.EqualFold(group, name) {
			return true
		}
	}
	return false
}

// field is the attribute of the flow to blame for a value.
func (b *builder) field(p *supply, i int) string {
	if p.from[i] != "" {
		return p.from[i]
	}
	return b.usernameField()
}

func breaksLine(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return c == ':' || unicode.IsControl(c) })
}

// checkMust refuses an entry that lacks what its classes demand: the server would, too, but not say what to mend.
func (b *builder) checkMust() error {
	for _, attribute := range b.must {
		if b.has(attribute) || strings.EqualFold(attribute, b.People.RDN.Attribute) || listed(suppliedElsewhere, attribute) {
			continue
		}
		field := b.FlowAttribute(attribute)
		for _, t := range b.Templates[attribute] {
			for _, name := range t.names() {
				if _, found := b.plain(name); !found {
					field = name
				}
			}
		}
		return plugin.Refused(field, plugin.CodeInvalid)
	}
	return nil
}

// suppliedElsewhere are demanded attributes that the server or another step of creation writes.
var suppliedElsewhere = []string{
	"objectClass", "userPassword", "unicodePwd", "nTSecurityDescriptor", "objectCategory", "instanceType", "objectSid", "sAMAccountName",
}
