package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Delete removes an account: committed on its anchor, moved out of sight by its id, deleted there. An absent one is
// removed already, one without an anchor is ErrNotAdopted.
func (s *Store) Delete(ctx context.Context, id plugin.ID) error {
	for range 8 {
		of, err := s.find(ctx, id)
		if errors.Is(err, plugin.ErrNotFound) {
			return nil
		}
		if err != nil {
			return nothingHappenedTo(err)
		}
		done, err := s.tryDelete(ctx, of)
		if done || err != nil {
			return err
		}
	}
	return plugin.ErrUnavailable
}

func (s *Store) tryDelete(ctx context.Context, of subject) (done bool, err error) {
	anchor, err := s.rest(ctx, of, nil)
	if errors.Is(err, plugin.ErrNotFound) {
		return false, fmt.Errorf("%w: the account's claim says something else", ErrNotAdopted)
	}
	if err != nil {
		return false, nothingHappened(err)
	}
	if anchor.phase == deleted {
		return true, s.unsettled(s.finishDelete(ctx, of.anchor, anchor, true))
	}
	if anchor.phase == reserved { // deleted already; what is left of the entry is the janitor's
		return true, nil
	}
	for _, name := range anchor.others {
		st, err := s.owned(ctx, name, of.id)
		if err != nil {
			return false, nothingHappened(err)
		}
		if st == nil {
			return false, nothingHappened(s.stale(ctx, of, anchor, name))
		}
	}
	d := anchor.as(deleted)
	d.run = newRun()
	d.notes = notes{mark: open, dn: of.entry.DN, others: anchor.others}
	d.text = d.String()
	ok, err := s.swap(ctx, of.anchor, anchor.text, d)
	if err != nil {
		return false, fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, err)
	}
	if !ok {
		return false, nil
	}
	return true, s.unsettled(s.finishDelete(ctx, of.anchor, &d, false))
}

// stale judges a claim in the anchor's list that is not the account's: when the anchor has changed meanwhile, everything is
// looked at again; when it has not, somebody freed the claim by hand, and the list is put right.
func (s *Store) stale(ctx context.Context, of subject, anchor *state, name string) error {
	now, err := s.read(ctx, of.anchor)
	if err != nil || now == nil || now.text != anchor.text {
		return err
	}
	st, err := s.read(ctx, name)
	if err != nil || st != nil && (st.phase == committed || st.phase == abandoned || st.phase == wanted || st.id == of.id && st.phase == held) {
		return err
	}
	to := anchor.as(held)
	to.run, to.notes = newRun(), notes{dn: anchor.dn, others: without(anchor.others, name)}
	_, err = s.swap(ctx, of.anchor, anchor.text, to)
	return err
}

// goneDN is where an entry waits to be deleted: under its id, a name that nobody else can get.
func (s *Store) goneDN(id plugin.ID) directory.DN { return s.Settings.Pending.Child("cn", string(id)) }

// finishDelete moves the entry out by its identity and deletes it. After the move nobody can log in, and whoever asked is
// answered; the rest goes on.
func (s *Store) finishDelete(ctx context.Context, anchor string, st *state, stranger bool) error {
	closed, seen, err := s.moveOut(ctx, anchor, st, stranger)
	if closed || err != nil {
		return err
	}
	if stranger {
		return s.closeDelete(ctx, anchor, st, seen)
	}
	s.afterwards(ctx, "deletion", func(ctx context.Context) error { return s.closeDelete(ctx, anchor, st, seen) })
	return nil
}

// moveOut moves the entry below ou=pending. closed: another process has finished the deletion.
func (s *Store) moveOut(ctx context.Context, anchor string, st *state, stranger bool) (closed bool, seen time.Time, err error) {
	if st.dn == "" {
		return false, seen, errCorrupt
	}
	seen = s.Clock()
	source, assert := st.dn, directory.Filter{}
	if s.Server.Kind == directory.OpenLDAP && s.Server.Assertion {
		assert = s.Server.IDFilter(string(st.id))
	}
	if byID, ok := s.Server.ByID(string(st.id)); ok {
		source = byID
	}
	for n := 0; ; n++ {
		// 389 has no fence for a move: only just after the claim was seen.
		if n > 0 || s.Server.Kind == directory.DS389 && (stranger || s.Clock().Sub(seen) > s.Lease/2) {
			still, err := s.stillDeleted(ctx, anchor, st)
			if err != nil || !still {
				return true, seen, err
			}
			seen = s.Clock()
		}
		err := try(ctx, func() error {
			return s.Operations.Move(ctx, source, s.goneDN(st.id), s.Server.Kind == directory.ActiveDirectory, assert)
		})
		if err == nil {
			return false, seen, nil
		}
		if !s.gone(err) && !directory.Refused(err, directory.AssertionFailed, directory.EntryAlreadyExists, directory.ConstraintViolation, directory.InvalidDNSyntax) {
			return false, seen, s.unsettled(err)
		}
		e, errLook := s.byID(ctx, st.id, "1.1")
		if errLook != nil {
			return false, seen, s.unsettled(errLook)
		}
		if e == nil || e.DN.Under(s.Settings.Pending) {
			return false, seen, nil
		}
		if _, ok := s.Server.ByID(string(st.id)); !ok {
			source = e.DN // renamed by hand
		}
		if n > looks {
			return false, seen, s.unsettled(err)
		}
	}
}

// unsettled is what fails after a commit: it happens all the same, later.
func (s *Store) unsettled(err error) error {
	if err == nil || errors.Is(err, plugin.ErrUnknownOutcome) {
		return err
	}
	return fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, err)
}

func (s *Store) stillDeleted(ctx context.Context, anchor string, st *state) (bool, error) {
	now, err := s.read(ctx, anchor)
	return err == nil && now != nil && now.phase == deleted && now.run == st.run, err
}

// closeDelete removes the account from groups, deletes its entry, frees its other claims and holds the username back, in
// two halves: see halve.
func (s *Store) closeDelete(ctx context.Context, anchor string, st *state, seen time.Time) error {
	if s.Clock().Sub(seen) > s.Lease/2 {
		if still, err := s.stillDeleted(ctx, anchor, st); err != nil || !still {
			return err
		}
	}
	if err := s.leaveGroups(ctx, st); err != nil {
		return err
	}
	if s.Server.Kind == directory.DS389 {
		if foreign, err := s.putBack(ctx, s.goneDN(st.id), st.id); err != nil || foreign {
			return err
		}
	}
	if err := s.deletePending(ctx, s.goneDN(st.id)); err != nil {
		return err
	}
	for _, name := range st.others {
		other, err := s.read(ctx, name)
		if err != nil {
			return err
		}
		if other != nil && other.phase == held && other.id == st.id {
			if _, err := s.swap(ctx, name, other.text, state{phase: free, run: st.run}); err != nil {
				return err
			}
		}
	}
	to := state{phase: reserved, kind: st.kind, id: st.id, until: s.Clock().Add(s.Settings.UsernameHold / 2), notes: notes{mark: holding, dn: st.dn}}
	_, err := s.swap(ctx, anchor, st.text, to)
	return err
}
