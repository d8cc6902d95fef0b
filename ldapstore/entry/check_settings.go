package entry

import (
	"fmt"
	"slices"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// CheckSettings tells whether the server's schema has what the settings themselves use. The findings name no item.
func (s *Settings) CheckSettings(schema *directory.Schema) []plugin.SchemaFinding {
	c := check{Settings: s.With(schema), schema: schema}
	c.classes()
	if len(c.report.Findings) > 0 {
		return c.report.Findings // without its classes nothing else can be judged
	}
	c.own("people.username", s.People.Username, anyText)
	c.own("people.rdn", s.People.RDN.Attribute, anyText)
	if s.Kind != directory.ActiveDirectory {
		c.own("the name of unfinished entries", stagingAttribute, anyText)
	}
	c.mark()
	c.lock()
	for _, name := range sortedNames(s.Constants) {
		if a := c.own("constants", name, unknownContent); a.SingleValue && len(s.Constants[name]) > 1 {
			c.settings(name, fmt.Sprintf("%s has one value, and constants has several", name), "keep one")
		}
	}
	for _, name := range sortedNames(s.Templates) {
		c.own("templates", name, unknownContent)
	}
	for _, name := range sortedNames(s.Numbers) {
		c.own("numbers", name, wholeNumber)
	}
	return c.report.Findings
}

// settings adds a finding about the settings.
func (c *check) settings(attribute, problem, fix string) {
	c.report.Findings = append(c.report.Findings, plugin.SchemaFinding{Attribute: attribute, Problem: problem, Fix: fix})
}

func (c *check) classes() {
	var structural []string
	for _, name := range c.People.ObjectClasses {
		class, known := c.schema.Class(name)
		switch {
		case !known:
			c.settings("objectClass", fmt.Sprintf("the directory knows no object class %s", name), "correct people.object_classes, or load the schema that has it")
		case class.Kind == "STRUCTURAL":
			structural = append(structural, name)
		}
	}
	if len(structural) == 0 && len(c.report.Findings) == 0 {
		c.settings("objectClass", "none of people.object_classes is structural, so that no entry can be made", "add one that is, such as inetOrgPerson")
	}
	if !listed(c.People.ObjectClasses, c.People.AccountClass) {
		if _, known := c.schema.Class(c.People.AccountClass); !known {
			c.settings("objectClass", fmt.Sprintf("the directory knows no object class %s", c.People.AccountClass), "correct people.account_class")
		}
	}
}

// own checks an attribute that the settings fill.
func (c *check) own(key, attribute string, want content) directory.AttributeType {
	a, known := c.schema.Attribute(attribute)
	have := syntaxes[a.Syntax]
	switch {
	case !known:
		c.settings(attribute, fmt.Sprintf("%s uses %s, which the directory does not know", key, attribute), "use another attribute, or load the schema that has it")
	case a.NoUserModification:
		c.settings(attribute, fmt.Sprintf("%s uses %s, which only the server itself writes", key, attribute), "use another attribute")
	case !a.Operational && !c.schema.Allows(attribute, c.People.ObjectClasses...):
		c.settings(attribute, key+": "+notAllowed(attribute, c.People.ObjectClasses), addClass(c.schema, attribute))
	case want == wholeNumber && have != wholeNumber, want == anyText && slices.Contains([]content{wholeNumber, trueOrFalse, moment, entryName, octets}, have):
		c.settings(attribute, fmt.Sprintf("%s uses %s, which holds %s", key, attribute, contentNames[have]), fmt.Sprintf("use an attribute that holds %s", contentNames[want]))
	}
	return a
}

// mark checks that the mark can tell a late change: only one value, so that a second, late addition is refused.
func (c *check) mark() {
	a := c.own("mark", c.Mark, anyText)
	if a.OID != "" && !a.SingleValue {
		c.settings(c.Mark, fmt.Sprintf("the mark %s can have several values, so that a late change would not be noticed", c.Mark), "choose a single-valued attribute that nothing else uses")
	}
}

func (c *check) lock() {
	method := string(c.Lock.Method)
	if c.Lock.Method != LockNone {
		if _, known := c.schema.Attribute(method); !known {
			c.settings(method, fmt.Sprintf("the directory knows no %s", method), "load the overlay ppolicy with a default policy, or say lock: {method: none}")
		}
	}
	if c.Lock.Reason != "" {
		c.own("lock.reason", c.Lock.Reason, anyText)
	}
	for kind, attributes := range c.Keys {
		for _, attribute := range attributes {
			if a, known := c.schema.Attribute(attribute); known && a.Equality == "" && c.Kind != directory.ActiveDirectory {
				c.settings(attribute, fmt.Sprintf("values of %s cannot be compared, and keys of kind %s are looked up by it", attribute, kind), "use another attribute")
			}
		}
	}
}
