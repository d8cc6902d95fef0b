package doctor

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// ldif writes LDIF (RFC 2849) as admins read it: comments, one blank line between records.
type ldif struct{ strings.Builder }

// comment writes lines that ldapmodify leaves out.
func (l *ldif) comment(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		l.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
}

// add writes the record of a new entry.
func (l *ldif) add(dn directory.DN, attributes ...directory.Attribute) {
	l.value("dn", string(dn))
	l.WriteString("changetype: add\n")
	for _, a := range attributes {
		for _, v := range a.Values {
			l.value(a.Name, v)
		}
	}
	l.WriteString("\n")
}

// addValues writes a record that adds values to an entry that is there. Each value may have several lines, which become
// one without their indentation but for one blank.
func (l *ldif) addValues(dn, attribute string, values []string) {
	l.value("dn", dn)
	fmt.Fprintf(l, "changetype: modify\nadd: %s\n", attribute)
	for _, v := range values {
		lines := strings.Split(v, "\n")
		l.value(attribute, lines[0])
		for _, line := range lines[1:] {
			l.WriteString("  " + strings.TrimSpace(line) + "\n") // one blank is RFC 2849's mark of a folded line, the other one stays
		}
	}
	l.WriteString("\n")
}

func (l *ldif) value(name, value string) {
	if safe(value) {
		fmt.Fprintf(l, "%s: %s\n", name, value)
		return
	}
	fmt.Fprintf(l, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
}

// safe tells whether a value may stand as it is: SAFE-STRING of RFC 2849, and no blank at the end.
func safe(value string) bool {
	if value == "" {
		return true
	}
	if strings.ContainsRune(" :<", rune(value[0])) || value[len(value)-1] == ' ' {
		return false
	}
	return !strings.ContainsFunc(value, func(r rune) bool { return r == 0 || r == '\n' || r == '\r' || r >= 0x80 })
}

func attribute(name string, values ...string) directory.Attribute {
	return directory.Attribute{Name: name, Values: values}
}
