package directory

import (
	"cmp"
	"slices"
)

// AuxiliaryFor returns the auxiliary classes that allow an attribute, those that demand least first: what an admin may add
// to entries so that they can have it.
func (s *Schema) AuxiliaryFor(attribute string) []string {
	wanted, known := s.Attribute(attribute)
	if !known {
		return nil
	}
	var found []ObjectClass
	seen := map[string]bool{}
	for _, d := range s.classes {
		if seen[d.oid] {
			continue
		}
		seen[d.oid] = true
		c, _ := s.Class(d.oid)
		if c.Kind != "AUXILIARY" || c.AnyAttribute || len(c.Names) == 0 {
			continue
		}
		if slices.ContainsFunc(slices.Concat(c.Must, c.May), func(name string) bool {
			a, ok := s.Attribute(name)
			return ok && a.OID == wanted.OID
		}) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b ObjectClass) int {
		return cmp.Or(cmp.Compare(len(a.Must), len(b.Must)), cmp.Compare(a.Names[0], b.Names[0]))
	})
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = c.Names[0]
	}
	return names
}
