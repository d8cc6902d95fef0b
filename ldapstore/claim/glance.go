package claim

import (
	"context"
	"errors"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// ErrUnsettled says that a copy of the directory has no answer: only Lookup has.
var ErrUnsettled = errors.New("the copy has no answer")

// Glance is Lookup at a copy of the directory that may be older than the directory itself. It answers when a claim at rest
// and an entry there agree. Everything else is ErrUnsettled: whoever is not found may be there already, and what was begun
// may have ended.
func (s *Store) Glance(ctx context.Context, from directory.Operations, k plugin.Key, attributes ...string) (Owner, error) {
	there := s.at(from)
	st, err := there.read(ctx, Name(k.Canonical))
	if err != nil {
		return Owner{}, err
	}
	if st == nil || st.phase != held {
		return Owner{}, ErrUnsettled
	}
	owner, err := there.agreed(ctx, k, st, attributes)
	if errors.Is(err, plugin.ErrNotFound) {
		return Owner{}, ErrUnsettled
	}
	return owner, err
}
