package ldapstore

import (
	"context"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// glance looks a key up at a reader. It is nil where only the writer can answer.
func (s *Store) glance(ctx context.Context, k plugin.Key) (claim.Owner, *reader) {
	at := s.readers.choose()
	if at == nil {
		return claim.Owner{}, nil
	}
	ctx, cancel := patience(ctx)
	defer cancel()
	owner, err := s.claims.Glance(ctx, at.ops, k, s.lookedUp()...)
	if err != nil || s.readers.pins.has(owner.ID, s.now()) {
		return claim.Owner{}, nil
	}
	return owner, at
}

// glanceAt reads an account by its id at a reader; false where only the writer can answer.
func (s *Store) glanceAt(ctx context.Context, id plugin.ID) (plugin.Account, bool) {
	at := s.readers.choose()
	if at == nil || s.readers.pins.has(id, s.now()) {
		return plugin.Account{}, false
	}
	ctx, cancel := patience(ctx)
	defer cancel()
	e, err := s.entryAt(ctx, at.ops, id)
	if err != nil {
		return plugin.Account{}, false
	}
	a, err := s.account(e)
	return a, err == nil
}

// changing notes that this process changes an account, so that it reads what it has written: call it, and what it returns
// when the change has ended.
func (s *Store) changing(id plugin.ID) (end func()) {
	pin := func() { s.readers.pins.pin(id, s.now()) }
	if len(s.readers.replicas) == 0 {
		return func() {}
	}
	pin()
	return pin
}

// stamp are the values that differ between two copies of an entry if its password or what locks it may differ: they are
// replicated with it.
func (s *Store) stamp() []string {
	switch s.server.Kind {
	case directory.ActiveDirectory:
		return []string{"pwdLastSet", "userAccountControl", "accountExpires"}
	case directory.DS389:
		return []string{"modifyTimestamp"}
	default:
		return []string{"entryCSN"}
	}
}

// lookedUp are the attributes to read of whoever is looked up.
func (s *Store) lookedUp() []string { return append(s.settings.ReadAttributes(), s.stamp()...) }

// sameAccount tells whether a reader has judged a password by the same entry that the writer has. 389 stamps entries by
// the second: what has just been changed may be the same or not.
func (s *Store) sameAccount(there, here directory.Entry) bool {
	if s.server.EntryID(there) != s.server.EntryID(here) {
		return false
	}
	for _, name := range s.stamp() {
		value := here.Value(name)
		if value != there.Value(name) || value == "" && s.server.Kind != directory.ActiveDirectory {
			return false
		}
	}
	if s.server.Kind == directory.DS389 {
		changed, err := time.Parse("20060102150405Z", here.Value("modifyTimestamp"))
		return err == nil && s.now().Sub(changed) > pinned
	}
	return true
}
