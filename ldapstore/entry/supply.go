package entry

import (
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Supplied tells where a demanded attribute comes from.
type Supplied struct {
	Attribute string
	// By names the item with its step, or the key of the admin's file; empty: nothing surely supplies it.
	By string
}

// Demands returns every attribute that the classes demand and what supplies it in a flow: all uses are that flow's.
// CheckSchema has the findings.
func (s *Settings) Demands(schema *directory.Schema, uses []plugin.AttributeUse) []Supplied {
	learned := s.With(schema)
	all := make([]Supplied, len(learned.must))
	for i, attribute := range learned.must {
		all[i] = Supplied{attribute, learned.supplier(attribute, uses)}
	}
	return all
}

func (s *Settings) supplier(attribute string, uses []plugin.AttributeUse) string {
	for _, u := range uses {
		stands, stored := s.DirectoryAttribute(u.Attribute)
		if stored && u.Attribute != "" && strings.EqualFold(stands, attribute) && (u.Required || u.Key == plugin.KindUsername) {
			return fmt.Sprintf("item %s of step %s", u.Item, u.Step)
		}
	}
	same := func(name string) bool { return strings.EqualFold(s.canonical(name), attribute) }
	switch {
	case same(s.People.RDN.Attribute):
		return "people.rdn"
	case same(s.Mark):
		return "mark"
	}
	for _, name := range namesOf(s.Constants) {
		if same(name) {
			return "constants." + name
		}
	}
	for _, name := range namesOf(s.Numbers) {
		if same(name) {
			return "numbers." + name
		}
	}
	for name, templates := range s.Templates {
		for _, t := range templates {
			if same(name) && t.certain(s.always(uses)) {
				return "templates." + name
			}
		}
	}
	return ""
}

// always tells which names of templates have a value in every account of a flow.
func (s *Settings) always(uses []plugin.AttributeUse) func(name string) bool {
	return func(name string) bool {
		if _, number := s.Numbers[name]; number || name == usernameName || name == attemptName {
			return true
		}
		for _, u := range uses {
			if u.Required && u.Attribute != "" && (u.Attribute == name || u.Attribute == s.FlowAttribute(name)) {
				return true
			}
		}
		return false
	}
}
