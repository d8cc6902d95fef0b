package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// subject is an account as a change or a deletion knows it.
type subject struct {
	id     plugin.ID
	anchor string // the claim of its username
	entry  directory.Entry
}

// ErrNotAdopted is an account that nobody has adopted: its names are not held.
var ErrNotAdopted = fmt.Errorf("%w: the account has no claim of its username: run 'narthex directory adopt'", plugin.ErrConflict)

// find reads an account's entry and where its anchor is: its mark says so, and an adopted account's is the claim of the
// username, whose name follows from that, or else has the entry's name.
func (s *Store) find(ctx context.Context, id plugin.ID) (subject, error) {
	e, err := s.byID(ctx, id, s.readOfEntries()...)
	if err != nil {
		return subject{}, err
	}
	if e == nil {
		return subject{}, plugin.ErrNotFound
	}
	if anchor, ok := anchorIn(e.Value(s.Settings.Mark)); ok {
		return subject{id, anchor, *e}, nil
	}
	if anchor, err := s.anchorOf(ctx, id, *e); anchor != "" || err != nil {
		return subject{id, anchor, *e}, err
	}
	filter := directory.Equal(s.layout.text, string(e.DN))
	if s.layout.others == "" {
		filter = directory.Equal(s.layout.text, string(noteDN)+":"+string(e.DN))
	}
	var entries []directory.Entry
	err = try(ctx, func() (err error) {
		entries, err = s.Operations.Search(ctx, s.Settings.Identifiers, directory.OneLevel, filter, 2, claimAttribute)
		return err
	})
	if err != nil {
		return subject{}, err
	}
	if len(entries) != 1 {
		return subject{}, ErrNotAdopted
	}
	_, name := entries[0].DN.RDN()
	return subject{id, name, *e}, nil
}

// anchorOf is the claim of an entry's username if the account holds it. Whoever searches for the anchor instead reads every
// claim, since no server has an index of their texts.
func (s *Store) anchorOf(ctx context.Context, id plugin.ID, e directory.Entry) (string, error) {
	if s.Canonical == nil {
		return "", nil
	}
	attribute := s.Settings.People.Username
	canonical, ok := s.Canonical(plugin.KindUsername, s.Settings.FlowAttribute(attribute), e.Value(attribute))
	if !ok {
		return "", nil
	}
	name := Name(canonical)
	st, err := s.read(ctx, name)
	if err != nil || st == nil || st.id != id || st.kind.of != plugin.KindUsername {
		return "", err
	}
	return name, nil
}

// readOfEntries are the attributes of an account's entry that changes look at.
func (s *Store) readOfEntries() []string {
	all := []string{s.Server.IDAttribute(), s.Settings.Mark, s.Settings.People.Username}
	for _, attributes := range s.Settings.Keys {
		all = append(all, attributes...)
	}
	return all
}

// rest reads an account's anchor when nobody is changing the account: whatever was begun is finished or undone, and whoever
// lives is waited for. A deletion is returned as it is. own is the run that asks, nil for one that takes nothing.
func (s *Store) rest(ctx context.Context, of subject, own *run) (*state, error) {
	for wait := 5 * time.Millisecond; ; {
		st, err := s.read(ctx, of.anchor)
		if err != nil {
			return nil, err
		}
		busy := false
		switch {
		case st == nil:
			return nil, plugin.ErrNotFound
		case st.phase == wanted:
			busy, err = s.settle(ctx, of.anchor, st, nil)
		case st.id != of.id:
			return nil, plugin.ErrNotFound
		case st.phase == held || st.phase == deleted || st.phase == reserved:
			return st, nil
		case st.phase == committed:
			err = s.finish(ctx, of.anchor, st)
		case st.phase == locked:
			busy, err = s.settleLock(ctx, of.anchor, st, own)
		case st.phase == losing:
			err = ignoreRefusal(s.finishDrop(ctx, of.anchor, st, nil))
		case st.phase == keeping:
			err = ignoreRefusal(s.giveUpDrop(ctx, of.anchor, st, nil))
		default:
			return nil, plugin.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		if busy {
			if err := pause(ctx, wait); err != nil {
				return nil, err
			}
			wait = min(2*wait, time.Second)
		}
	}
}

// settleLock decides about an anchor that a change has locked: the change's primary tells whether it lives.
func (s *Store) settleLock(ctx context.Context, anchor string, st *state, own *run) (busy bool, err error) {
	primary, err := s.read(ctx, st.of)
	if err != nil {
		return false, err
	}
	back := st.as(held)
	back.notes = notes{dn: st.dn, others: st.others}
	switch {
	case primary == nil:
		return false, s.forbid(ctx, st.of, st.change)
	case primary.run == st.change && primary.phase == committed:
		return false, s.finish(ctx, st.of, primary)
	case primary.run == st.change && primary.phase == abandoned:
		return false, s.abandon(ctx, st.of, primary)
	case primary.run == st.change && primary.phase == held: // not in the order of a closing; the change has happened
		back.run = st.change
	case primary.run == st.change && primary.phase == wanted:
		return s.overtake(ctx, anchor, st.of, primary, own)
	}
	_, err = s.swap(ctx, anchor, st.text, back)
	return false, err
}

// lock takes an account's anchor for a run.
func (s *Store) lock(ctx context.Context, of subject, r *run) (*state, state, error) {
	for {
		st, err := s.rest(ctx, of, r)
		if err != nil {
			return nil, state{}, err
		}
		if st.phase != held {
			return nil, state{}, plugin.ErrNotFound
		}
		lock := st.as(locked)
		lock.change, lock.of = r.id, r.primary
		lock.notes = notes{mark: open, dn: st.dn, others: st.others}
		lock.text = lock.String()
		ok, err := s.swap(ctx, of.anchor, st.text, lock)
		if err != nil {
			return nil, state{}, err
		}
		if ok {
			return st, lock, nil
		}
	}
}

// owned reads another claim of an account when it is held. nil: it is not the account's.
func (s *Store) owned(ctx context.Context, name string, id plugin.ID) (*state, error) {
	for range 8 {
		st, err := s.read(ctx, name)
		if err != nil || st == nil {
			return nil, err
		}
		switch {
		case st.phase == held && st.id == id:
			return st, nil
		case st.phase == committed && st.id == id:
			err = s.finish(ctx, name, st)
		case st.phase == abandoned && st.id == id:
			err = s.abandon(ctx, name, st)
		case st.phase == wanted: // of a creation that has been answered and not closed
			var busy bool
			if busy, err = s.settle(ctx, name, st, nil); busy {
				return nil, nil
			}
		default:
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, plugin.ErrUnavailable
}

// ErrRefused is a change that the directory refuses for good: it has been undone.
var ErrRefused = errors.New("the directory refuses the change")

func ignoreRefusal(err error) error {
	if errors.Is(err, ErrRefused) || errors.Is(err, plugin.ErrUnknownOutcome) {
		return nil
	}
	return err
}
