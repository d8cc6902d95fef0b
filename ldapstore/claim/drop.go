package claim

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// drop takes a key from an account and gives it none: there is no new claim to commit on, so one swap of the anchor is lock
// and commit in one. The dropped claim stays held until the entry has lost the value.
func (s *Store) drop(ctx context.Context, id plugin.ID, c plugin.IdentifierChange, execution *Execution) error {
	of, err := s.find(ctx, id)
	if err != nil {
		return nothingHappenedTo(err)
	}
	name := Name(c.Drop.Canonical)
	if name == of.anchor {
		return plugin.ErrConflict
	}
	for range 8 {
		done, again, err := s.tryDrop(ctx, of, name, c, execution)
		if done || err != nil {
			return err
		}
		if !again {
			return plugin.ErrUnknownOutcome
		}
	}
	return plugin.ErrUnavailable
}

// tryDrop is one look and, if everything is as it has to be, one commit. again asks for a fresh look.
func (s *Store) tryDrop(ctx context.Context, of subject, name string, c plugin.IdentifierChange, execution *Execution) (done, again bool, err error) {
	anchor, err := s.rest(ctx, of, nil)
	if err != nil {
		return false, false, nothingHappenedTo(err)
	}
	if anchor.phase != held {
		return false, false, plugin.ErrNotFound
	}
	e, err := s.byID(ctx, of.id, s.readOfEntries()...)
	if err != nil {
		return false, false, nothingHappened(err)
	}
	if e == nil {
		return false, false, plugin.ErrNotFound
	}
	old, err := s.read(ctx, name)
	if err != nil {
		return false, false, nothingHappened(err)
	}
	dropped := old != nil && old.phase == reserved && old.id == of.id && old.attempt == c.Attempt
	if dropped || anchor.more[noteDropper] == string(c.Attempt) { // the anchor remembers it when others have the claim by now
		return true, false, nil
	}
	attribute := s.attributeFor(*c.Drop)
	x := exchange{Store: s, entry: *e}
	value := x.value(*c.Drop)
	if old == nil || old.phase != held || old.id != of.id || value == "" {
		return s.notDroppable(ctx, of, name, anchor, old)
	}
	if s.Clock().After(c.NotAfter) {
		return false, false, fmt.Errorf("too late to commit: %w", plugin.ErrUnavailable)
	}
	l := anchor.as(losing)
	l.change, l.of = newRun(), name
	l.notes = notes{mark: open, dn: anchor.dn, others: anchor.others, more: map[letter]string{
		noteAttribute: attribute, noteOldValue: value, noteDropper: string(c.Attempt), noteHold: strconv.FormatInt(c.Hold.Milliseconds(), 10),
	}}
	l.text = l.String()
	ok := false
	err = execution.commits(func() (err error) {
		ok, err = s.swap(ctx, of.anchor, anchor.text, l)
		return err
	})
	switch {
	case errors.Is(err, errPowerless):
		return false, false, err
	case err == nil && !ok:
		return false, true, nil
	case err != nil:
		now, errRead := s.read(ctx, of.anchor)
		if errRead != nil || now == nil || now.change != l.change && !now.carries(l.change) {
			return false, false, fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, errors.Join(err, errRead))
		}
	}
	err = s.finishDrop(ctx, of.anchor, &l, &dropEnd{first: e, old: old})
	if errors.Is(err, ErrRefused) {
		return false, false, fmt.Errorf("%w: %w", plugin.Refused(c.Drop.Attribute, plugin.CodeInvalid), err)
	}
	if err != nil { // it is committed: whatever failed now, somebody else does later
		return false, false, fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, err)
	}
	return true, false, nil
}

// notDroppable answers for a key that is not the account's, or not yet: only when the anchor is still what it was before.
func (s *Store) notDroppable(ctx context.Context, of subject, name string, anchor, old *state) (done, again bool, err error) {
	if old != nil && (old.phase == committed || old.phase == abandoned || old.phase == wanted) {
		mine, err := s.owned(ctx, name, of.id)
		if err != nil {
			return false, false, nothingHappened(err)
		}
		if mine != nil { // what made it the account's had not been closed
			return false, true, nil
		}
	}
	now, err := s.read(ctx, of.anchor)
	if err != nil {
		return false, false, nothingHappened(err)
	}
	if now == nil || now.text != anchor.text || old != nil && (old.phase == committed || old.phase == abandoned) {
		return false, true, nil
	}
	return false, false, fmt.Errorf("the account does not have the key: %w", plugin.ErrConflict)
}

// dropEnd is what the committing process of a drop knows.
type dropEnd struct {
	first *directory.Entry
	old   *state
}

// finishDrop takes the value from the entry and closes the drop: whoever meets the anchor does.
func (s *Store) finishDrop(ctx context.Context, anchor string, l *state, end *dropEnd) error {
	w := s.rewriteOfDrop(ctx, anchor, l, end)
	w.giveUp = func() error { return s.keep(ctx, anchor, l, end) }
	written, err := s.write(ctx, w)
	if !written || err != nil {
		return err
	}
	if end == nil {
		return s.closeDrop(ctx, anchor, l, nil)
	}
	s.afterwards(ctx, "drop", func(ctx context.Context) error { return s.closeDrop(ctx, anchor, l, end) })
	return nil
}

// rewriteOfDrop is what a drop does to the entry.
func (s *Store) rewriteOfDrop(ctx context.Context, anchor string, l *state, end *dropEnd) rewrite {
	attribute := l.more[noteAttribute]
	dropped := func(e directory.Entry) string { return spelled(e, attribute, l.more[noteOldValue]) }
	return rewrite{
		mark: markOf(l.change, anchor),
		done: func(e directory.Entry) bool { return dropped(e) == "" },
		changes: func(e directory.Entry) []directory.Change {
			return []directory.Change{{Kind: directory.DeleteValues, Attribute: directory.Attribute{Name: attribute, Values: []string{dropped(e)}}}}
		},
		seen: func(n int) (*directory.Entry, bool, error) { return s.seenDrop(ctx, anchor, l, end, n) },
	}
}

// seenDrop reads the entry, then the anchor. again is false when the anchor says something else by now.
func (s *Store) seenDrop(ctx context.Context, anchor string, l *state, end *dropEnd, n int) (e *directory.Entry, again bool, err error) {
	if end != nil && n == 0 {
		return end.first, true, nil
	}
	if e, err = s.byID(ctx, l.id, s.readOfEntries()...); err != nil {
		return nil, false, err
	}
	now, err := s.read(ctx, anchor)
	if err != nil {
		return nil, false, err
	}
	switch {
	case now != nil && now.text == l.text:
		return e, true, nil
	case now != nil && now.phase == keeping && now.change == l.change && l.phase == losing:
		return nil, false, s.giveUpDrop(ctx, anchor, now, end)
	case end == nil || now.carries(l.change):
		return nil, false, nil
	}
	return nil, false, plugin.ErrUnknownOutcome
}

// keep begins to undo a drop that the directory refuses.
func (s *Store) keep(ctx context.Context, anchor string, l *state, end *dropEnd) error {
	k := *l
	k.phase = keeping
	k.text = k.String()
	ok, err := s.swapText(ctx, anchor, l.text, k.text, nil)
	if err != nil {
		return err
	}
	if !ok {
		_, _, err := s.seenDrop(ctx, anchor, &state{text: "", phase: losing, change: l.change, id: l.id, notes: l.notes}, end, 1)
		return err
	}
	return s.giveUpDrop(ctx, anchor, &k, end)
}

// giveUpDrop touches the entry, so that no late write takes the value away, and gives the anchor a run of nobody.
func (s *Store) giveUpDrop(ctx context.Context, anchor string, k *state, end *dropEnd) error {
	undone, dropped, err := s.takeBack(ctx, s.rewriteOfDrop(ctx, anchor, k, end))
	if dropped {
		return s.closeDrop(ctx, anchor, k, nil)
	}
	if !undone || err != nil {
		return err
	}
	to := k.as(held)
	to.run, to.notes = newRun(), notes{dn: k.dn, others: k.others}
	ok, err := s.swap(ctx, anchor, k.text, to)
	if err != nil {
		return err
	}
	if !ok {
		return plugin.ErrUnknownOutcome
	}
	return ErrRefused
}

// closeDrop holds the dropped claim back for the account and frees the anchor, last.
func (s *Store) closeDrop(ctx context.Context, anchor string, l *state, end *dropEnd) error {
	var old *state
	if end != nil {
		old = end.old
	} else {
		var err error
		if old, err = s.read(ctx, l.of); err != nil {
			return err
		}
		now, err := s.read(ctx, anchor)
		if err != nil {
			return err
		}
		if now == nil || now.text != l.text {
			return nil
		}
	}
	if old != nil && old.phase == held && old.id == l.id {
		to := state{phase: reserved, kind: old.kind, id: l.id, until: s.Clock().Add(holdOf(l.notes)), attempt: plugin.Attempt(l.more[noteDropper])}
		if _, err := s.swap(ctx, l.of, old.text, to); err != nil {
			return err
		}
	}
	to := l.as(held)
	to.run, to.notes = l.change, notes{dn: l.dn, others: without(l.others, l.of), more: map[letter]string{noteDropper: l.more[noteDropper]}}
	_, err := s.swap(ctx, anchor, l.text, to)
	return err
}
