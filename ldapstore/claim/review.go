package claim

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// handHold is how long an address that an admin has taken from an account by hand stays out of others' reach: the account
// may get it back.
const handHold = 24 * time.Hour

// Review looks at one claim, by its name (see Name), after what an admin may have done by hand: of an account that is nowhere
// any more, or that does not carry the key any more, it is held back for a day, and freed then. Claims that anybody is at
// work with are left to the janitor. changed tells whether anything was done.
//
// Whether an entry carries a key can be told only with Config.Canonical; without it, only accounts that are gone are noticed.
func (s *Store) Review(ctx context.Context, name string) (changed bool, err error) {
	st, err := s.read(ctx, name)
	if err != nil || st == nil || st.phase != held {
		return false, err
	}
	e, err := s.byID(ctx, st.id, s.readOfEntries()...)
	switch {
	case err != nil:
		return false, err
	case e == nil:
		return s.freeGone(ctx, name, st)
	case s.Canonical == nil || s.carriesName(*e, name):
		return false, nil
	}
	return s.freeIfLost(ctx, name, st)
}

// freeIfGone holds a claim back whose account is nowhere.
func (s *Store) freeIfGone(ctx context.Context, name string, st *state) (bool, error) {
	e, err := s.byID(ctx, st.id, "1.1")
	if err != nil || e != nil {
		return false, err
	}
	return s.freeGone(ctx, name, st)
}

// freeGone holds a claim back whose account was found nowhere. The id never comes back, so that a late write hits nothing.
func (s *Store) freeGone(ctx context.Context, name string, st *state) (bool, error) {
	if proved, err := s.findsByID(ctx); err != nil || !proved {
		return false, err
	}
	to := state{phase: reserved, kind: st.kind, id: st.id, until: s.Clock().Add(handHold)}
	if st.kind.of == plugin.KindUsername && st.dn != "" { // late writes to groups may name it: see halve
		to.until, to.notes = s.Clock().Add(s.Settings.UsernameHold/2), notes{mark: holding, dn: st.dn}
	}
	return s.swap(ctx, name, st.text, to)
}

// freeIfLost holds an alias back that its account does not carry any more. A change that is under way shows in the anchor,
// which is read after the entry. The username is the account's for as long as it lives.
func (s *Store) freeIfLost(ctx context.Context, name string, st *state) (bool, error) {
	if st.kind.of == plugin.KindUsername {
		return false, nil
	}
	of, err := s.find(ctx, st.id)
	if err != nil || s.carriesName(of.entry, name) || of.entry.DN.Under(s.Settings.Pending) {
		return false, ignoreMissing(err)
	}
	anchor, err := s.read(ctx, of.anchor)
	if err != nil || anchor == nil || anchor.phase != held || anchor.id != st.id {
		return false, err
	}
	ok, err := s.swap(ctx, name, st.text, state{phase: reserved, kind: st.kind, id: st.id, until: s.Clock().Add(handHold)})
	if err != nil || !ok {
		return false, err
	}
	to := anchor.as(held)
	to.run, to.notes = newRun(), notes{dn: anchor.dn, others: without(anchor.others, name)}
	_, err = s.swap(ctx, of.anchor, anchor.text, to) // lost: whoever deletes the account puts the list right
	return true, err
}

// ignoreMissing: an account that has gone meanwhile, or that was not adopted whole, is for the next review.
func ignoreMissing(err error) error {
	if errors.Is(err, plugin.ErrNotFound) || errors.Is(err, plugin.ErrConflict) {
		return nil
	}
	return err
}

// carriesName tells whether an entry has a value whose key has a claim of that name.
func (s *Store) carriesName(e directory.Entry, name string) bool {
	for kind := range s.Settings.Keys {
		for _, attribute := range s.attributesOf(kind) {
			for _, value := range e.Values(attribute) {
				if canonical, ok := s.Canonical(kind, s.Settings.FlowAttribute(attribute), value); ok && Name(canonical) == name {
					return true
				}
			}
		}
	}
	return false
}

// findsByID makes sure that entries are found by their ids at all: without the right to search for them every account would
// seem to be gone. In a tree where no account can be seen, nothing is proved.
func (s *Store) findsByID(ctx context.Context) (bool, error) {
	var some []directory.Entry
	err := try(ctx, func() (err error) {
		some, err = s.Operations.Search(ctx, s.Settings.People.Base, directory.Subtree,
			directory.Equal("objectClass", s.Settings.People.AccountClass), 1, s.Server.IDAttribute())
		return err
	})
	if err != nil || len(some) == 0 {
		return false, err
	}
	e, err := s.byID(ctx, plugin.ID(s.Server.EntryID(some[0])), "1.1")
	return e != nil && e.DN.Equal(some[0].DN), err
}
