package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// describedSchema answers CheckSchema for stores that have no schema of their own, from their description: every listed
// type can be stored as it is, any other one only as a string with an encoding that the item names.
type describedSchema struct{ of Description }

// CheckSchema never fails.
func (s describedSchema) CheckSchema(_ context.Context, uses []AttributeUse) (SchemaReport, error) {
	var report SchemaReport
	attributes, keys := map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, u := range uses {
		for _, fault := range s.faults(u) {
			fault.Item, fault.Flow, fault.Step, fault.Attribute = u.Item, u.Flow, u.Step, u.Attribute
			report.Findings = append(report.Findings, fault)
		}
		if u.Encoding != EncodingNone {
			if report.Encodings == nil {
				report.Encodings = map[string]Encoding{}
			}
			report.Encodings[u.Attribute] = u.Encoding
		}
		switch {
		case u.Key != "":
			count(keys, u.Flow, u.Item)
		case u.Attribute != "":
			count(attributes, u.Flow, u.Attribute)
		}
	}
	report.Findings = append(report.Findings, tooMany(attributes, s.of.Limits.MaxAttributes, "attributes")...)
	report.Findings = append(report.Findings, tooMany(keys, s.of.Limits.MaxKeys, "keys")...)
	return report, nil
}

// faults returns what is wrong with one use: Problem and Fix only.
func (s describedSchema) faults(u AttributeUse) []SchemaFinding {
	var found []SchemaFinding
	limit := s.of.Limits.MaxValueBytes
	if u.Attribute == "" {
		limit = s.of.Limits.MaxPasswordBytes
	}
	if u.MaxBytes > limit {
		found = append(found, SchemaFinding{
			Problem: fmt.Sprintf("a text can be %d bytes long, and the store keeps %d", u.MaxBytes, limit),
			Fix:     fmt.Sprintf("lower the item's max, so that no text is longer than %d bytes", limit),
		})
	}
	switch {
	case u.Attribute == "":
	case u.Encoding != EncodingNone && !u.Encoding.Fits(u.Type):
		found = append(found, SchemaFinding{
			Problem: fmt.Sprintf("a value of type %q cannot be written as %q", u.Type, u.Encoding),
			Fix:     "use an encoding of the item's type",
		})
	case u.Encoding == EncodingNone && !slices.Contains(s.of.ValueTypes, u.Type):
		found = append(found, SchemaFinding{
			Problem: fmt.Sprintf("the store keeps no values of type %q", u.Type),
			Fix:     "say with encode how the value is written as a string",
		})
	}
	return found
}

// count notes a name of a flow once.
func count(names map[string]map[string]bool, flow, name string) {
	if names[flow] == nil {
		names[flow] = map[string]bool{}
	}
	names[flow][name] = true
}

// tooMany has a finding for every flow with more names than the limit.
func tooMany(names map[string]map[string]bool, limit int, what string) []SchemaFinding {
	var found []SchemaFinding
	for _, flow := range slices.Sorted(maps.Keys(names)) {
		if n := len(names[flow]); n > limit {
			found = append(found, SchemaFinding{
				Flow:    flow,
				Problem: fmt.Sprintf("the flow stores %d %s, and the store keeps %d", n, what, limit),
				Fix:     "leave items out",
			})
		}
	}
	return found
}
