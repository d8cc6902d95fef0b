package entry

import (
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// Stage returns where a draft waits, hidden, under a name that no other run uses, and what it is there: complete, and
// nobody can bind with it. See Enable for how it becomes an account.
func (s *Settings) Stage(d Draft, name string) (directory.DN, []directory.Attribute) {
	staged := make([]directory.Attribute, 0, len(d.Attributes)+3)
	hasName := false
	for _, a := range d.Attributes {
		if strings.EqualFold(a.Name, stagingAttribute) && s.Kind != directory.ActiveDirectory {
			a.Values = append([]string{name}, a.Values...) // the move deletes this one
			hasName = true
		}
		staged = append(staged, a)
	}
	if !hasName && s.Kind != directory.ActiveDirectory { // there the RDN is the only cn
		staged = append(staged, directory.Attribute{Name: stagingAttribute, Values: []string{name}})
	}
	return s.Pending.Child(stagingAttribute, name), append(staged, s.hidden(d)...)
}

// stagingAttribute names entries below ou=pending.
const stagingAttribute = "cn"
