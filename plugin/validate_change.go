package plugin

import "slices"

// Validate checks a change against the bounds of the contract. Errors are ErrInvalid, in a *FieldError where one field
// is to blame.
func (c Change) Validate() error {
	set := 0
	for _, is := range []bool{len(c.Attributes) > 0, c.State != nil, c.Groups != nil, c.Identifier != nil} {
		if is {
			set++
		}
	}
	switch {
	case set != 1:
		return broken("a change alters attributes, state, groups or an identifier, and one of them")
	case c.State != nil:
		return c.State.validate()
	case c.Groups != nil:
		return c.Groups.validate()
	case c.Identifier != nil:
		return c.Identifier.validate()
	}
	return validateAttributeChanges(c.Attributes)
}

func validateAttributeChanges(changes map[string]AttributeChange) error {
	if len(changes) > MaxAttributes {
		return broken("a change touches up to %d attributes", MaxAttributes)
	}
	total := 0
	for name, change := range changes {
		if !validName(name) {
			return broken("the name of an attribute has 1 to %d bytes and no control characters", MaxNameBytes)
		}
		for _, values := range [][]Value{change.Old, change.New} {
			if err := validateValues(name, values); err != nil {
				return err
			}
			total += Attributes{name: values}.bytes()
		}
	}
	if total > 2*MaxAccountBytes {
		return broken("the texts of a change have up to %d bytes in all", 2*MaxAccountBytes)
	}
	return nil
}

func (c *StateChange) validate() error {
	if err := c.Old.Validate(); err != nil {
		return err
	}
	return c.New.Validate()
}

func (c *GroupChange) validate() error {
	if len(c.Add)+len(c.Remove) == 0 {
		return broken("a change of groups adds or removes one")
	}
	for _, groups := range [][]string{c.Add, c.Remove} {
		if err := validateGroups(groups); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(c.Add, func(g string) bool { return slices.Contains(c.Remove, g) }) {
		return broken("a group is added or removed, not both")
	}
	return nil
}

func (c *IdentifierChange) validate() error {
	if err := c.Attempt.Validate(); err != nil {
		return err
	}
	switch {
	case c.NotAfter.IsZero():
		return broken("an execution has a time after which it may not commit")
	case c.Add == nil && c.Drop == nil:
		return broken("a change of identifiers adds or drops one")
	case c.Hold < 0:
		return broken("a key is not held for less than no time")
	}
	for _, k := range []*Key{c.Add, c.Drop} {
		if k == nil {
			continue
		}
		if err := k.Validate(); err != nil {
			return err
		}
		if k.Kind == KindUsername {
			return Refused(k.Attribute, CodeReadOnly)
		}
	}
	return nil
}

// within checks a change against what the store has said it accepts. Old values are left alone: they are compared, not
// stored.
func (c Change) within(d Description) error {
	for name, change := range c.Attributes {
		if err := d.acceptsValues(name, change.New); err != nil {
			return err
		}
	}
	if c.Identifier != nil && c.Identifier.Add != nil && len(c.Identifier.Add.Value) > d.Limits.MaxValueBytes {
		return Refused(c.Identifier.Add.Attribute, CodeTooLong)
	}
	return nil
}
