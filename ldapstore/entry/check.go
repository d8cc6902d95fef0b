package entry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// CheckSchema tells whether what flows mean to store fits the settings and the server's schema, how typed values are
// written, and whether everything that the classes demand is supplied. It finds what is wrong with the settings, too.
func (s *Settings) CheckSchema(schema *directory.Schema, uses []plugin.AttributeUse) plugin.SchemaReport {
	c := check{Settings: s.With(schema), schema: schema}
	c.report.Findings = s.CheckSettings(schema)
	for _, u := range uses {
		c.use(u)
	}
	c.collisions(uses)
	c.demands(uses)
	return c.report
}

type check struct {
	*Settings
	schema *directory.Schema
	report plugin.SchemaReport
}

// find adds a finding about a use.
func (c *check) find(u plugin.AttributeUse, problem, fix string) {
	c.report.Findings = append(c.report.Findings, plugin.SchemaFinding{
		Item: u.Item, Flow: u.Flow, Step: u.Step, Attribute: u.Attribute, Problem: problem, Fix: fix,
	})
}

func (c *check) use(u plugin.AttributeUse) {
	limit := plugin.MaxValueBytes
	if u.Attribute == "" {
		limit = plugin.MaxPasswordBytes
	}
	if u.MaxBytes > limit {
		c.find(u, fmt.Sprintf("a text can be %d bytes long, and the store keeps %d", u.MaxBytes, limit),
			fmt.Sprintf("lower the item's max, so that no text is longer than %d bytes", limit))
	}
	if u.Attribute == "" {
		return
	}
	if u.Attribute == usernameName || u.Attribute == attemptName {
		c.find(u, fmt.Sprintf("templates use %q for something else", u.Attribute), "give the attribute another name in the flows file")
		return
	}
	attribute, stored := c.DirectoryAttribute(u.Attribute)
	if !stored {
		c.onlyMentioned(u)
		return
	}
	if !c.mayFill(u, attribute) {
		return
	}
	a, ok := c.known(u, attribute)
	if !ok {
		return
	}
	encoding, wrong := encode(u, a)
	switch {
	case wrong != nil:
		c.find(u, wrong.Problem, wrong.Fix)
	case encoding != plugin.EncodingNone:
		if c.report.Encodings == nil {
			c.report.Encodings = map[string]plugin.Encoding{}
		}
		c.report.Encodings[u.Attribute] = encoding
	}
	if most := c.longest(attribute); most > 0 && u.MaxBytes > most*longestRune && u.Encoding == plugin.EncodingNone && u.Key != plugin.KindUsername {
		c.find(u, fmt.Sprintf("the server keeps %d characters of %s", most, attribute), fmt.Sprintf("set the item's max to %d", most))
	}
}

// longestRune is how many bytes of UTF-8 a character can have.
const longestRune = 4

// onlyMentioned checks an item that is not stored itself.
func (c *check) onlyMentioned(u plugin.AttributeUse) {
	if u.Key != "" {
		c.find(u, "a name that only one account can have must be stored", "take it out of only_in_templates")
		return
	}
	for _, templates := range c.Templates {
		for _, t := range templates {
			if slices.ContainsFunc(t.names(), func(name string) bool { return name == u.Attribute || c.FlowAttribute(name) == u.Attribute }) {
				return
			}
		}
	}
	c.find(u, "the value is kept nowhere: only_in_templates has it, and no template uses it", "use it in a template, or take it out of only_in_templates")
}

// mayFill checks the settings' own rules about who fills what.
func (c *check) mayFill(u plugin.AttributeUse, attribute string) bool {
	kind, holdsKeys := c.KeyKind(attribute)
	switch {
	case u.Key == plugin.KindUsername && (!holdsKeys || kind != plugin.KindUsername):
		c.find(u, fmt.Sprintf("usernames stand in %s", c.People.Username), fmt.Sprintf("map it there: attributes: {%s: %s}", u.Attribute, c.People.Username))
		return false
	case u.Key != "" && (!holdsKeys || kind != u.Key):
		c.find(u, fmt.Sprintf("%s is not listed for keys of kind %s", attribute, u.Key), fmt.Sprintf("add it: keys: {%s: [%s]}", u.Key, attribute))
		return false
	case u.Key == "" && holdsKeys:
		c.find(u, fmt.Sprintf("%s is kept for keys of kind %s, and this item is none", attribute, kind),
			fmt.Sprintf("make the item an alias or unique, map it to another attribute, or take %s out of keys.%s", attribute, kind))
		return false
	case u.Key == "" && c.closedBy(attribute) != "":
		c.find(u, c.closedBy(attribute), "map the item to another attribute")
		return false
	}
	return true
}

// known checks that the schema has an attribute and that entries of our classes can have it.
func (c *check) known(u plugin.AttributeUse, attribute string) (directory.AttributeType, bool) {
	a, known := c.schema.Attribute(attribute)
	switch {
	case !known:
		c.find(u, fmt.Sprintf("the directory knows no attribute %s", attribute), fmt.Sprintf("map it to one that it knows: attributes: {%s: …}", u.Attribute))
	case a.NoUserModification:
		c.find(u, fmt.Sprintf("only the server itself writes %s", attribute), "map the item to another attribute")
	case !c.schema.Allows(attribute, c.People.ObjectClasses...):
		c.find(u, notAllowed(attribute, c.People.ObjectClasses), addClass(c.schema, attribute))
	case c.FlowAttribute(attribute) != u.Attribute && c.FlowAttribute(attribute) != attribute:
		c.find(u, fmt.Sprintf("what stands in %s is read back as %s", attribute, c.FlowAttribute(attribute)), "use one of the two names in the flows file")
	case c.FlowAttribute(attribute) != u.Attribute:
		c.find(u, fmt.Sprintf("the directory calls this attribute %s", attribute), fmt.Sprintf("map it: attributes: {%s: %s}", u.Attribute, attribute))
	default:
		return a, true
	}
	return a, false
}

func notAllowed(attribute string, classes []string) string {
	return fmt.Sprintf("entries of the classes %s cannot have %s", strings.Join(classes, ", "), attribute)
}

// addClass says which class to add, so that entries can have an attribute.
func addClass(schema *directory.Schema, attribute string) string {
	const few = 3
	classes := schema.AuxiliaryFor(attribute)
	if len(classes) == 0 {
		return "use another attribute, or other object_classes"
	}
	return "add one of these to people.object_classes: " + strings.Join(classes[:min(few, len(classes))], ", ") + "; or use another attribute"
}

// collisions finds several attributes of one flow that would stand in the same place.
func (c *check) collisions(uses []plugin.AttributeUse) {
	first := map[[2]string]plugin.AttributeUse{}
	for _, u := range uses {
		attribute, stored := c.DirectoryAttribute(u.Attribute)
		if u.Attribute == "" || !stored {
			continue
		}
		place := [2]string{u.Flow, strings.ToLower(attribute)}
		before, twice := first[place]
		if !twice {
			first[place] = u
			continue
		}
		a, _ := c.schema.Attribute(attribute)
		switch {
		case before.Attribute != u.Attribute:
			c.find(u, fmt.Sprintf("%s holds %s already", attribute, before.Attribute), "map one of the two to another attribute")
		case a.SingleValue && before.Item != u.Item:
			c.find(u, fmt.Sprintf("%s has one value, and the item %s supplies it already", attribute, before.Item), "use another attribute for one of the two")
		}
	}
}

// demands finds what the classes demand and a flow does not surely supply.
func (c *check) demands(uses []plugin.AttributeUse) {
	flows := map[string][]plugin.AttributeUse{}
	for _, u := range uses {
		flows[u.Flow] = append(flows[u.Flow], u)
	}
	for _, flow := range sortedNames(flows) {
		for _, attribute := range c.must {
			if c.supplier(attribute, flows[flow]) == "" {
				c.report.Findings = append(c.report.Findings, c.demand(flow, flows[flow], attribute))
			}
		}
	}
}

// demand words the finding about an attribute that a flow does not surely supply.
func (c *check) demand(flow string, uses []plugin.AttributeUse, attribute string) plugin.SchemaFinding {
	f := plugin.SchemaFinding{Flow: flow, Attribute: attribute}
	for _, u := range uses {
		if stands, stored := c.DirectoryAttribute(u.Attribute); stored && strings.EqualFold(stands, attribute) {
			f.Item, f.Step = u.Item, u.Step
			f.Problem = fmt.Sprintf("the classes demand %s, and this item may be left empty", attribute)
			f.Fix = fmt.Sprintf("set required: true, or add a template for %s that always has a text", attribute)
			return f
		}
	}
	if lacks := c.lacks(attribute, uses); len(lacks) > 0 {
		f.Problem = fmt.Sprintf("the classes demand %s, and its template has no text without %s", attribute, strings.Join(lacks, ", "))
		f.Fix = fmt.Sprintf(`make these required in the flow, or end the template's list with one that always has a text, such as "{{%s}}"`, usernameName)
		return f
	}
	f.Problem = fmt.Sprintf("the classes demand %s, and nothing supplies it", attribute)
	f.Fix = fmt.Sprintf("add a required item with attribute: %s to the flow, or constants, templates or numbers with %s to the persister's file", c.FlowAttribute(attribute), attribute)
	return f
}

// lacks returns what an attribute's templates mention and a flow does not always supply.
func (c *check) lacks(attribute string, uses []plugin.AttributeUse) []string {
	var lacks []string
	always := c.always(uses)
	for name, templates := range c.Templates {
		if !strings.EqualFold(c.canonical(name), attribute) {
			continue
		}
		for _, t := range templates {
			for _, n := range t.names() {
				if !always(n) && !slices.Contains(lacks, n) {
					lacks = append(lacks, n)
				}
			}
		}
	}
	return lacks
}

// longest is what Active Directory keeps of an attribute, in characters, as it does not say in its subschema; 0: unknown.
// What other servers list is the least that any server should keep (RFC 4517, section 3.1), and they keep more.
func (c *check) longest(attribute string) int {
	if c.Kind != directory.ActiveDirectory {
		return 0
	}
	return adLengths[strings.ToLower(attribute)]
}

// adLengths are the upper ranges of the attributes that flows fill most often (MS-ADA1 to MS-ADA3).
var adLengths = map[string]int{
	"givenname": 64, "sn": 64, "initials": 6, "displayname": 256, "mail": 256, "telephonenumber": 64, "mobile": 64, "company": 64, "department": 64,
	"title": 128, "physicaldeliveryofficename": 128, "streetaddress": 1024, "l": 128, "st": 128, "postalcode": 40, "co": 128, "c": 3, "description": 1024,
	"employeeid": 16, "employeenumber": 512, "info": 1024, "comment": 1024, "wwwhomepage": 2048, "personaltitle": 64,
}
