package plugin

import (
	"slices"
	"strings"
)

// Capabilities lists all capabilities of this version of the contract.
func Capabilities() []Capability {
	return []Capability{CapAuthenticator, CapPasswordSetter, CapUpdater, CapLister, CapMaintainer, CapStatuses, CapSchemaChecker}
}

// WithDefaults returns d with the defaults of this package in place of zero limits, and TypeString among its types.
func (d Description) WithDefaults() Description {
	for _, l := range []struct {
		field   *int
		highest int
	}{
		{&d.Limits.MaxValueBytes, MaxValueBytes},
		{&d.Limits.MaxAttributes, MaxAttributes},
		{&d.Limits.MaxKeys, MaxKeys},
		{&d.Limits.MaxPasswordBytes, MaxPasswordBytes},
	} {
		if *l.field == 0 {
			*l.field = l.highest
		}
	}
	if !slices.Contains(d.ValueTypes, TypeString) {
		d.ValueTypes = append([]ValueType{TypeString}, d.ValueTypes...)
	}
	return d
}

// Validate checks a description whose defaults have been applied.
func (d Description) Validate() error {
	if !validStoreName(d.Name) {
		return broken("the name of a store has 1 to 64 lower-case letters, digits and hyphens")
	}
	if len(d.Version) > MaxNameBytes || !validText(d.Version) {
		return broken("the version of a store has up to %d bytes of UTF-8 without NUL", MaxNameBytes)
	}
	if err := validateSet("value type", d.ValueTypes, ValueTypes()); err != nil {
		return err
	}
	if err := validateSet("capability", d.Capabilities, Capabilities()); err != nil {
		return err
	}
	if err := validateSet("capability", d.Withheld, Capabilities()); err != nil {
		return err
	}
	for _, l := range []struct{ limit, highest int }{
		{d.Limits.MaxValueBytes, MaxValueBytes}, {d.Limits.MaxAttributes, MaxAttributes},
		{d.Limits.MaxKeys, MaxKeys}, {d.Limits.MaxPasswordBytes, MaxPasswordBytes},
	} {
		if l.limit < 1 || l.limit > l.highest {
			return broken("a limit of %d is not between 1 and %d", l.limit, l.highest)
		}
	}
	return nil
}

// validateSet checks that every entry is known and stands once.
func validateSet[T ~string](what string, list, known []T) error {
	for i, entry := range list {
		if !slices.Contains(known, entry) {
			return broken("unknown %s %.80q", what, string(entry))
		}
		if slices.Contains(list[:i], entry) {
			return broken("%s %q stands twice", what, string(entry))
		}
	}
	return nil
}

func validStoreName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// Validate checks one use.
func (u AttributeUse) Validate() error {
	for _, s := range []string{u.Item, u.Flow, u.Step} {
		if len(s) > MaxNameBytes || !validText(s) {
			return broken("names of items, flows and steps have up to %d bytes", MaxNameBytes)
		}
	}
	switch {
	case u.Attribute != "" && !validName(u.Attribute):
		return broken("the name of an attribute has 1 to %d bytes and no control characters", MaxNameBytes)
	case u.MaxBytes < 0:
		return broken("a length is not negative")
	case u.Attribute != "" && !slices.Contains(ValueTypes(), u.Type):
		return broken("unknown value type %.80q", u.Type)
	case u.Key != "" && !slices.Contains([]KeyKind{KindUsername, KindEmail, KindPhone, KindUnique}, u.Key):
		return broken("unknown kind of key %.80q", u.Key)
	}
	return u.Encoding.Validate()
}

// Validate checks that an encoding is known.
func (e Encoding) Validate() error {
	if _, known := encodingTypes[e]; !known && e != EncodingNone {
		return broken("unknown encoding %.80q", string(e))
	}
	return nil
}

// validateUses checks the argument of CheckSchema.
func validateUses(uses []AttributeUse) error {
	if len(uses) > MaxUses {
		return broken("a schema is checked for up to %d uses", MaxUses)
	}
	for _, u := range uses {
		if err := u.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Validate checks a report that a store has returned.
func (r SchemaReport) Validate() error {
	if len(r.Encodings) > MaxUses || len(r.Findings) > 2*MaxUses {
		return broken("a report has up to %d encodings and %d findings", MaxUses, 2*MaxUses)
	}
	for name, e := range r.Encodings {
		if !validName(name) {
			return broken("an encoding belongs to an attribute")
		}
		if err := e.Validate(); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		for _, s := range []string{f.Item, f.Flow, f.Step, f.Attribute, f.Problem, f.Fix} {
			if len(s) > MaxValueBytes || !validText(s) {
				return broken("the texts of a finding have up to %d bytes of UTF-8 without NUL", MaxValueBytes)
			}
		}
	}
	return nil
}
