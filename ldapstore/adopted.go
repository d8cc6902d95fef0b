package ldapstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/plugin"
)

// adopted does something that takes the claims of an account: somebody who stood in the directory before and was not adopted
// yet is adopted now.
func (s *Store) adopted(ctx context.Context, id plugin.ID, do func() error) error {
	err := do()
	if !errors.Is(err, claim.ErrNotAdopted) || s.claims.Canonical == nil {
		return err
	}
	e, errRead := s.entry(ctx, id)
	if errRead != nil {
		return errRead
	}
	done, errAdopt := s.claims.Adopt(ctx, claim.Person{ID: id, DN: e.DN, Keys: s.keys(e)}, nil)
	switch {
	case errors.Is(errAdopt, plugin.ErrInvalid):
		return fmt.Errorf("%w: its username cannot be claimed", err)
	case errAdopt != nil:
		return errAdopt
	case done.Busy:
		return fmt.Errorf("%w: somebody is just changing the account", plugin.ErrUnavailable)
	}
	for _, k := range done.Taken {
		if k.Kind == plugin.KindUsername {
			return fmt.Errorf("%w: another account holds its username: change one of the two by hand", plugin.ErrConflict)
		}
	}
	return do()
}
