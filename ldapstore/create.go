package ldapstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Create implements plugin.Persister.
func (s *Store) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if err := a.Validate(); err != nil {
		return plugin.Account{}, err
	}
	execution := s.claims.Begin(a.Attempt)
	defer execution.End()
	numbers, err := s.numbers.Next(ctx)
	if err != nil {
		return plugin.Account{}, nothingHappened("create", err)
	}
	password, err := s.passwords.Staged(ctx, a.Password)
	if err != nil {
		return plugin.Account{}, nothingHappened("create", err)
	}
	now := s.now()
	made, err := s.claims.Create(ctx, claim.Creation{
		Execution: execution, Attempt: a.Attempt, NotAfter: a.NotAfter, Keys: a.Keys,
		Build: func(mark string) (entry.Draft, error) {
			return s.settings.Build(a, entry.Inputs{Run: mark, Numbers: numbers, Password: password, Now: now})
		},
		SetPassword: s.laterPassword(a.Password),
	})
	if err != nil {
		return plugin.Account{}, writing("create", err)
	}
	s.changing(made.ID)()
	account, err := s.Get(ctx, made.ID)
	if errors.Is(err, plugin.ErrNotFound) && made.Found {
		return plugin.Account{}, fmt.Errorf("create: the attempt's account was deleted: %w", plugin.ErrConflict)
	}
	if err != nil {
		return plugin.Account{}, fmt.Errorf("create: %w: %w", plugin.ErrUnknownOutcome, err)
	}
	return account, nil
}

// laterPassword sets the password of a staged entry by RFC 3062; nil where the entry has it already, or none.
func (s *Store) laterPassword(p plugin.Secret) func(context.Context, directory.DN) error {
	if p.Empty() || !s.passwords.Later() {
		return nil
	}
	return func(ctx context.Context, dn directory.DN) error { return s.ops.SetPassword(ctx, dn, p.Reveal()) }
}

// nothingHappened is the error of what fails before anything is written.
func nothingHappened(operation string, err error) error {
	if known(err) {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnavailable, err)
}

// Resolve implements plugin.Persister.
func (s *Store) Resolve(ctx context.Context, attempt plugin.Attempt, keys []plugin.Key) (plugin.Account, error) {
	if err := attempt.Validate(); err != nil {
		return plugin.Account{}, err
	}
	id, err := s.claims.Resolve(ctx, attempt, keys)
	if err != nil {
		return plugin.Account{}, reading("resolve", err)
	}
	s.changing(id)()
	return s.Get(ctx, id)
}

// Lookup implements plugin.Persister.
func (s *Store) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	if owner, at := s.glance(ctx, k); at != nil {
		if a, err := s.account(owner.Entry); err == nil {
			return a, nil
		}
	}
	e, _, err := s.find(ctx, k)
	if err != nil {
		return plugin.Account{}, reading("lookup", err)
	}
	return s.account(e)
}

// find returns the entry of who has a key at the writer, and whether the key is good for logging in.
func (s *Store) find(ctx context.Context, k plugin.Key) (directory.Entry, bool, error) {
	owner, err := s.claims.Lookup(ctx, k, s.lookedUp()...)
	return owner.Entry, owner.Login, err
}

// Delete implements plugin.Persister. The username is held back for a while: see entry.Settings.UsernameHold. Where the service
// account lacks the right it is errors.ErrUnsupported, before anything is written: a deletion that has begun is not undone.
func (s *Store) Delete(ctx context.Context, id plugin.ID) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if err := s.mayDelete(ctx); err != nil {
		return reading("delete", err)
	}
	defer s.changing(id)()
	return writing("delete", s.adopted(ctx, id, func() error { return s.claims.Delete(ctx, id) }))
}

// changeIdentifier gives the account a key, takes one away, or both.
func (s *Store) changeIdentifier(ctx context.Context, id plugin.ID, c *plugin.IdentifierChange) error {
	return s.adopted(ctx, id, func() error { return s.claims.Change(ctx, id, *c) })
}

// Maintain implements plugin.Maintainer.
func (s *Store) Maintain(ctx context.Context) (plugin.MaintainReport, error) {
	report, err := s.claims.Maintain(ctx)
	return report, writing("maintain", err)
}
