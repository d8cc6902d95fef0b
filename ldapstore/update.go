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

// Update implements plugin.Updater.
func (s *Store) Update(ctx context.Context, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if err := errors.Join(id.Validate(), c.Validate()); err != nil {
		return plugin.Account{}, err
	}
	defer s.changing(id)()
	if err := s.apply(ctx, id, c); err != nil {
		return plugin.Account{}, writing("update", err)
	}
	return s.Get(ctx, id)
}

// apply makes the one change that c holds.
func (s *Store) apply(ctx context.Context, id plugin.ID, c plugin.Change) error {
	if c.Identifier != nil {
		return s.changeIdentifier(ctx, id, c.Identifier)
	}
	e, err := s.entry(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case c.Attributes != nil:
		changes, err := s.settings.AttributeChanges(c.Attributes, e)
		if err != nil {
			return err
		}
		if s.settings.FencedByMark() && len(changes) > 0 {
			changes = append(changes, s.settings.MarkChanges(e, claim.NextMark(e.Value(s.settings.Mark)))...)
		}
		return s.settings.ChangeRefusal(s.modify(ctx, e.DN, changes), changes)
	case c.State != nil:
		changes, err := s.settings.StateChanges(*c.State, e, s.now())
		if err != nil {
			return err
		}
		return s.modify(ctx, e.DN, changes)
	default:
		return s.changeGroups(ctx, id, e, c.Groups)
	}
}

// modify sends changes. A value that was to be replaced and is not there any more is ErrConflict.
func (s *Store) modify(ctx context.Context, dn directory.DN, changes []directory.Change) error {
	if len(changes) == 0 {
		return nil
	}
	err := s.ops.Modify(ctx, dn, changes, directory.Filter{})
	if directory.Refused(err, directory.NoSuchAttribute, directory.AttributeOrValueExists) {
		return fmt.Errorf("%w: %w", plugin.ErrConflict, err)
	}
	return err
}

// changeGroups changes one group after the other: a directory can do no two at once. What is so already stays so, so that
// a change that was cut off can be made again.
func (s *Store) changeGroups(ctx context.Context, id plugin.ID, e directory.Entry, c *plugin.GroupChange) error {
	a, err := s.account(e)
	if err != nil {
		return err
	}
	member := entry.Member{DN: e.DN, ID: id, Username: a.Username}
	for _, name := range append(append([]string(nil), c.Add...), c.Remove...) {
		if _, known := s.settings.Groups[name]; !known {
			return plugin.Refused(name, plugin.CodeUnknown)
		}
	}
	for _, name := range c.Add {
		if err := s.settings.Join(ctx, s.ops, name, member); err != nil {
			return err
		}
	}
	for _, name := range c.Remove {
		if err := s.settings.Leave(ctx, s.ops, name, member); err != nil {
			return err
		}
	}
	return nil
}
