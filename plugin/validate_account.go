package plugin

import "slices"

// Validate checks an account that is to be created against the bounds of the contract. Errors are ErrInvalid, in a
// *FieldError where one field is to blame.
func (a NewAccount) Validate() error {
	if err := a.Attempt.Validate(); err != nil {
		return err
	}
	if a.NotAfter.IsZero() {
		return broken("an execution has a time after which it may not commit")
	}
	if err := validateKeys(a.Keys); err != nil {
		return err
	}
	if err := a.Attributes.validate(); err != nil {
		return err
	}
	for _, k := range a.Keys {
		if len(a.Attributes[k.Attribute]) > 0 {
			return Refused(k.Attribute, CodeInvalid)
		}
	}
	if err := a.Password.Validate(); err != nil {
		return err
	}
	if err := a.State.Validate(); err != nil {
		return err
	}
	if err := validateGroups(a.Groups); err != nil {
		return err
	}
	if a.bytes() > MaxAccountBytes {
		return broken("the texts of an account have up to %d bytes in all", MaxAccountBytes)
	}
	return nil
}

// validateKeys checks the keys of an account: one username, no canonical key twice.
func validateKeys(keys []Key) error {
	if len(keys) > MaxKeys {
		return broken("an account has up to %d keys", MaxKeys)
	}
	usernames := 0
	seen := map[string]bool{}
	for _, k := range keys {
		if err := k.Validate(); err != nil {
			return err
		}
		if k.Kind == KindUsername {
			usernames++
		}
		if seen[k.Canonical] {
			return Refused(k.Attribute, CodeInvalid)
		}
		seen[k.Canonical] = true
	}
	if usernames != 1 {
		return broken("an account has one username")
	}
	return nil
}

// validate checks attributes that are to be stored.
func (a Attributes) validate() error {
	if len(a) > MaxAttributes {
		return broken("an account has up to %d attributes", MaxAttributes)
	}
	for name, values := range a {
		if !validName(name) {
			return broken("the name of an attribute has 1 to %d bytes and no control characters", MaxNameBytes)
		}
		if err := validateValues(name, values); err != nil {
			return err
		}
	}
	return nil
}

// validateValues checks the values of one attribute that is to be stored: a set without empty texts, since no directory
// can hold one.
func validateValues(name string, values []Value) error {
	if len(values) > MaxValues {
		return Refused(name, CodeTooLong)
	}
	for i, v := range values {
		if len(v.Text) > MaxValueBytes {
			return Refused(name, CodeTooLong)
		}
		if v.Text == "" || v.Validate() != nil || slices.Contains(values[:i], v) {
			return Refused(name, CodeInvalid)
		}
	}
	return nil
}

// within checks an account against what the store has said it accepts.
func (a NewAccount) within(d Description) error {
	switch {
	case len(a.Keys) > d.Limits.MaxKeys:
		return broken("the store accepts %d keys", d.Limits.MaxKeys)
	case len(a.Attributes) > d.Limits.MaxAttributes:
		return broken("the store accepts %d attributes", d.Limits.MaxAttributes)
	}
	for _, k := range a.Keys {
		if len(k.Value) > d.Limits.MaxValueBytes {
			return Refused(k.Attribute, CodeTooLong)
		}
	}
	for name, values := range a.Attributes {
		if err := d.acceptsValues(name, values); err != nil {
			return err
		}
	}
	return d.acceptsPassword(a.Password)
}

// acceptsValues checks types and lengths: what Describe does not list is never sent.
func (d Description) acceptsValues(name string, values []Value) error {
	for _, v := range values {
		if !slices.Contains(d.ValueTypes, v.Type) {
			return Refused(name, CodeInvalid)
		}
		if len(v.Text) > d.Limits.MaxValueBytes {
			return Refused(name, CodeTooLong)
		}
	}
	return nil
}

func (d Description) acceptsPassword(p Secret) error {
	if len(p.Reveal()) > d.Limits.MaxPasswordBytes {
		return Refused(PasswordField, CodeTooLong)
	}
	return nil
}

// bytes counts the texts of an account.
func (a NewAccount) bytes() int {
	n := a.Attributes.bytes()
	for _, k := range a.Keys {
		n += len(k.Canonical) + len(k.Value) + len(k.Attribute)
	}
	for _, g := range a.Groups {
		n += len(g)
	}
	return n
}

func (a Attributes) bytes() int {
	n := 0
	for name, values := range a {
		n += len(name)
		for _, v := range values {
			n += len(v.Text)
		}
	}
	return n
}

// Validate checks an account that a store has returned. It is more lenient than what may be stored, because others may
// have written into the store.
func (a Account) Validate() error {
	if err := a.ID.Validate(); err != nil {
		return err
	}
	if a.Username == "" || len(a.Username) > MaxValueBytes || !validText(a.Username) {
		return broken("a username has 1 to %d bytes of UTF-8 without NUL", MaxValueBytes)
	}
	if len(a.Attributes) > MaxAttributes+MaxKeys {
		return broken("an account shows up to %d attributes", MaxAttributes+MaxKeys)
	}
	for name, values := range a.Attributes {
		if !validName(name) || len(values) > MaxValues {
			return broken("an attribute has a name and up to %d values", MaxValues)
		}
		for _, v := range values {
			if len(v.Text) > MaxValueBytes || v.Validate() != nil {
				return Refused(name, CodeInvalid)
			}
		}
	}
	if err := a.State.Validate(); err != nil {
		return err
	}
	if !a.CreatedAt.Equal(a.CreatedAt.Truncate(1e9)) {
		return broken("an account was created at a whole second")
	}
	return validateGroups(a.Groups)
}
