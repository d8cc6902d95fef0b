package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// AttributeType is what a server says about an attribute, with what it inherits.
type AttributeType struct {
	OID   string
	Names []string
	// Syntax is an object identifier (RFC 4517, section 3.3), Length its suggested limit or 0, Equality the name of a rule,
	// "" where the server lists none (Active Directory lists none at all).
	Syntax   string
	Length   int
	Equality string

	SingleValue        bool
	NoUserModification bool
	// Operational attributes are the server's own; they are returned only when asked for.
	Operational bool
}

// ObjectClass is what a server says about a class, with what it inherits: attributes by the name that the schema calls
// them first, sorted.
type ObjectClass struct {
	OID   string
	Names []string
	// Kind is ABSTRACT, STRUCTURAL or AUXILIARY.
	Kind string
	// Must and May are the attributes that an entry of this class has to and can have. AnyAttribute: all, as with
	// extensibleObject.
	Must, May    []string
	AnyAttribute bool
}

// Schema is what a server accepts (RFC 4512, section 4.2).
type Schema struct {
	attributes map[string]*definition // by lower-case name and by OID
	classes    map[string]*definition
	rules      map[string]*definition // content rules, by the class's OID
}

// maxAncestors bounds how far inheritance is followed: a schema may say that a thing descends from itself.
const maxAncestors = 64

// ParseSchema reads the values of a subschema's attributes. Values that are no definitions are left out.
func ParseSchema(attributeTypes, objectClasses, contentRules []string) *Schema {
	return &Schema{attributes: index(attributeTypes), classes: index(objectClasses), rules: index(contentRules)}
}

func index(values []string) map[string]*definition {
	all := make(map[string]*definition, 2*len(values))
	for _, value := range values {
		d, err := parseDefinition(value)
		if err != nil {
			continue
		}
		all[strings.ToLower(d.oid)] = &d
		for _, name := range d.words["NAME"] {
			all[strings.ToLower(name)] = &d
		}
	}
	return all
}

// Attribute finds an attribute by one of its names or its OID, without regard to case and to options (";lang-de").
func (s *Schema) Attribute(name string) (AttributeType, bool) {
	name, _, _ = strings.Cut(name, ";")
	d, ok := s.attributes[strings.ToLower(name)]
	if !ok {
		return AttributeType{}, false
	}
	a := AttributeType{OID: d.oid, Names: d.words["NAME"]}
	for range maxAncestors { // what an attribute does not say itself its superior says (RFC 4512, section 2.5.1)
		if a.Syntax == "" {
			a.Syntax, a.Length = splitLength(d.first("SYNTAX"))
		}
		if a.Equality == "" {
			a.Equality = d.first("EQUALITY")
		}
		a.SingleValue = a.SingleValue || d.flag("SINGLE-VALUE")
		a.NoUserModification = a.NoUserModification || d.flag("NO-USER-MODIFICATION")
		usage := d.first("USAGE")
		a.Operational = a.Operational || usage != "" && !strings.EqualFold(usage, "userApplications")
		if d, ok = s.attributes[strings.ToLower(d.first("SUP"))]; !ok {
			break
		}
	}
	return a, true
}

// splitLength parts "1.3.6.1{64}".
func splitLength(syntax string) (oid string, length int) {
	oid, bound, ok := strings.Cut(syntax, "{")
	if !ok {
		return oid, 0
	}
	length, err := strconv.Atoi(strings.TrimSuffix(bound, "}"))
	if err != nil || length < 0 {
		return oid, 0
	}
	return oid, length
}

// Class finds a class by one of its names or its OID, without regard to case.
func (s *Schema) Class(name string) (ObjectClass, bool) {
	d, ok := s.classes[strings.ToLower(name)]
	if !ok {
		return ObjectClass{}, false
	}
	c := ObjectClass{OID: d.oid, Names: d.words["NAME"], Kind: "STRUCTURAL"}
	for _, kind := range []string{"ABSTRACT", "AUXILIARY"} {
		if d.flag(kind) {
			c.Kind = kind
		}
	}
	must, may := make(map[string]bool), make(map[string]bool)
	for _, ancestor := range s.lineage(d) {
		c.AnyAttribute = c.AnyAttribute || ancestor.oid == extensibleObject
		s.collect(must, ancestor.words["MUST"])
		s.collect(may, ancestor.words["MAY"])
	}
	for attribute := range must {
		delete(may, attribute)
	}
	c.Must, c.May = sorted(must), sorted(may)
	return c, true
}

const extensibleObject = "1.3.6.1.4.1.1466.101.120.111" // RFC 4512, section 4.3

// lineage returns a class, all that it descends from, and what content rules add to them: Active Directory says there
// which auxiliary classes are always part of a class.
func (s *Schema) lineage(d *definition) []*definition {
	all, seen := []*definition{d}, map[*definition]bool{d: true}
	for i := 0; i < len(all); i++ {
		names := slices.Concat(all[i].words["SUP"], all[i].words["AUX"])
		for _, name := range names {
			if next, ok := s.classes[strings.ToLower(name)]; ok && !seen[next] {
				seen[next] = true
				all = append(all, next)
			}
		}
		if rule, ok := s.rules[strings.ToLower(all[i].oid)]; ok && !seen[rule] {
			seen[rule] = true
			all = append(all, rule)
		}
	}
	return all
}

// collect adds attributes under the name that the schema calls them first.
func (s *Schema) collect(to map[string]bool, names []string) {
	for _, name := range names {
		if d, ok := s.attributes[strings.ToLower(name)]; ok && d.first("NAME") != "" {
			name = d.first("NAME")
		}
		to[name] = true
	}
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for name := range set {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Allows tells whether an entry of these classes can have the attribute, by any of its names.
func (s *Schema) Allows(attribute string, classes ...string) bool {
	wanted, known := s.Attribute(attribute)
	if !known {
		return false
	}
	for _, name := range classes {
		c, ok := s.Class(name)
		if !ok {
			continue
		}
		if c.AnyAttribute {
			return true
		}
		for _, allowed := range slices.Concat(c.Must, c.May) {
			if a, ok := s.Attribute(allowed); ok && a.OID == wanted.OID {
				return true
			}
		}
	}
	return false
}

// Schema reads the writer's schema. It is read anew after ten minutes.
func (p *Pool) Schema(ctx context.Context) (*Schema, error) {
	return p.schema.get(ctx, func(ctx context.Context) (*Schema, error) {
		server, err := p.Server(ctx)
		if err != nil {
			return nil, err
		}
		// They are operational: only asking by name brings them.
		entry, err := p.Read(ctx, server.Subschema, "attributeTypes", "objectClasses", "dITContentRules")
		if err != nil {
			return nil, err
		}
		return ParseSchema(entry.Values("attributeTypes"), entry.Values("objectClasses"), entry.Values("dITContentRules")), nil
	})
}
