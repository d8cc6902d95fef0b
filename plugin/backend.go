package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Backend is an opened store: what every store can do, and a field for each capability. A nil field means that the
// store does not offer it, or may not use it. Callers test for nil and never assert types.
type Backend struct {
	Persister
	// Description is the answer to Describe, with defaults applied and Capabilities as the fields below have them.
	Description Description

	Authenticator  Authenticator
	PasswordSetter PasswordSetter
	Updater        Updater
	Lister         Lister
	Maintainer     Maintainer
	Statuses       StatusReader
	// SchemaChecker is never nil: a store without a schema of its own is answered for from its description.
	SchemaChecker SchemaChecker
}

// Of finds what p can do. It asks Describe, whose error it returns, and leaves out what the description withholds.
func Of(ctx context.Context, p Persister) (Backend, error) {
	if p == nil {
		return Backend{}, errors.New("open persister: there is none")
	}
	if b, ok := p.(Backend); ok {
		return b, nil
	}
	d, err := p.Describe(ctx)
	if err != nil {
		return Backend{}, fmt.Errorf("describe persister: %w", err)
	}
	d = d.WithDefaults()
	b := Backend{Persister: p}
	b.Authenticator, _ = p.(Authenticator)
	b.PasswordSetter, _ = p.(PasswordSetter)
	b.Updater, _ = p.(Updater)
	b.Lister, _ = p.(Lister)
	b.Maintainer, _ = p.(Maintainer)
	b.Statuses, _ = p.(StatusReader)
	b.SchemaChecker, _ = p.(SchemaChecker)
	b.keep(func(c Capability) bool { return !slices.Contains(d.Withheld, c) })
	if b.SchemaChecker == nil {
		b.SchemaChecker = describedSchema{d}
	}
	d.Contract, d.Capabilities = ContractVersion, b.capabilities()
	if err := d.Validate(); err != nil {
		return Backend{}, fmt.Errorf("describe persister: %w", err)
	}
	b.Description = d
	return b, nil
}

// keep sets the fields of the capabilities that are not wanted to nil.
func (b *Backend) keep(wanted func(Capability) bool) {
	if !wanted(CapAuthenticator) {
		b.Authenticator = nil
	}
	if !wanted(CapPasswordSetter) {
		b.PasswordSetter = nil
	}
	if !wanted(CapUpdater) {
		b.Updater = nil
	}
	if !wanted(CapLister) {
		b.Lister = nil
	}
	if !wanted(CapMaintainer) {
		b.Maintainer = nil
	}
	if !wanted(CapStatuses) {
		b.Statuses = nil
	}
	if !wanted(CapSchemaChecker) {
		b.SchemaChecker = nil
	}
}

// capabilities lists the fields that are set.
func (b *Backend) capabilities() []Capability {
	var list []Capability
	for _, c := range []struct {
		name    Capability
		offered bool
	}{
		{CapAuthenticator, b.Authenticator != nil},
		{CapPasswordSetter, b.PasswordSetter != nil},
		{CapUpdater, b.Updater != nil},
		{CapLister, b.Lister != nil},
		{CapMaintainer, b.Maintainer != nil},
		{CapStatuses, b.Statuses != nil},
		{CapSchemaChecker, b.SchemaChecker != nil},
	} {
		if c.offered {
			list = append(list, c.name)
		}
	}
	return list
}
