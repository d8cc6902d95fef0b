package entry

import (
	"slices"

	"github.com/narthex/narthex/ldapstore/directory"
)

// With returns the settings with what the server's schema says: other names of an attribute, what the classes demand, and
// whether the overlay that locks is there. Without it, the server finds out, and nobody says what to mend.
func (s *Settings) With(schema *directory.Schema) *Settings {
	learned := *s
	learned.learn(schema)
	return &learned
}

func (s *Settings) learn(schema *directory.Schema) {
	s.schema, s.must = schema, nil
	for _, class := range s.People.ObjectClasses {
		c, _ := schema.Class(class)
		for _, attribute := range c.Must {
			if !listed(s.must, attribute) && !listed(suppliedElsewhere, attribute) {
				s.must = append(s.must, attribute)
			}
		}
	}
	slices.Sort(s.must)
	if _, known := schema.Attribute(string(s.Lock.Method)); !known && s.Lock.auto {
		s.Lock.Method = LockNone
	}
}

// canonical is the name that the schema calls an attribute first: surname is sn, rfc822Mailbox is mail.
func (s *Settings) canonical(name string) string {
	if s.schema == nil {
		return name
	}
	if a, known := s.schema.Attribute(name); known && len(a.Names) > 0 {
		return a.Names[0]
	}
	return name
}
