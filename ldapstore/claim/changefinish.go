package claim

import (
	"context"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// changeEnd is what the committing process of a change knows and need not read again; nil for a stranger, who has no answer
// to give either.
type changeEnd struct {
	first *directory.Entry // the entry as it was before the commit
	old   *state           // the claim to give up, as it was read; nil where none is
	lock  *state           // the locked anchor
}

func (s *Store) finishForAnother(ctx context.Context, name string, st *state) error {
	return ignoreRefusal(s.finishChange(ctx, name, st, nil))
}

// tries is how often an entry that moves on is looked at again.
const tries = 20

// finishChange writes the entry of a committed change and closes it. The entry is read first, the claim second, and the
// write tests the mark that was read: while the claim still says committed, what was read is not older than the change.
func (s *Store) finishChange(ctx context.Context, name string, st *state, end *changeEnd) error {
	w, err := writeOf(st)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		e, again, err := s.seen(ctx, name, st, end, n)
		if !again || err != nil {
			return err
		}
		if e == nil || w.done(*e) {
			break
		}
		err = try(ctx, func() error {
			return s.Operations.Modify(ctx, e.DN, append(s.Settings.MarkChanges(*e, markOf(st.run, w.anchor)), w.changes(*e)...), directory.Filter{})
		})
		if err == nil {
			break
		}
		switch s.judge(err, n) {
		case lookAgain:
			continue
		case goOnLater:
			return plugin.ErrUnknownOutcome
		case refusedAtLast:
			return s.giveUp(ctx, name, st, end)
		case failed:
		}
		return err
	}
	if end == nil {
		return s.closeChange(ctx, name, st, nil)
	}
	s.afterwards(ctx, "change", func(ctx context.Context) error { return s.closeChange(ctx, name, st, end) })
	return nil
}

// seen reads the entry, then the claim. again is false when the claim says something else by now: then err is the answer.
func (s *Store) seen(ctx context.Context, name string, st *state, end *changeEnd, n int) (e *directory.Entry, again bool, err error) {
	if end != nil && n == 0 {
		return end.first, true, nil
	}
	if e, err = s.byID(ctx, st.id, s.readOfEntries()...); err != nil {
		return nil, false, err
	}
	now, err := s.read(ctx, name)
	if err != nil {
		return nil, false, err
	}
	if now == nil || now.text != st.text {
		return nil, false, s.outcome(ctx, now, st, end)
	}
	return e, true, nil
}

// outcome answers for a change that another process has closed or abandoned: only the run in the new claim or in the anchor
// proves that it happened.
func (s *Store) outcome(ctx context.Context, now, st *state, end *changeEnd) error {
	if end == nil || now != nil && now.phase == held && now.run == st.run {
		return nil
	}
	anchor, err := s.read(ctx, st.more[noteAnchor])
	if err != nil {
		return err
	}
	if anchor.carries(st.run) {
		return nil
	}
	return plugin.ErrUnknownOutcome
}

// movedOn tells whether a refused write may only mean that the entry is not as it was read.
func (s *Store) movedOn(err error) bool {
	return s.gone(err) || directory.Refused(err, directory.AssertionFailed, directory.NoSuchAttribute, directory.AttributeOrValueExists,
		directory.ConstraintViolation, directory.EntryAlreadyExists)
}

// verdict is what a refused write of an entry means.
type verdict int

const (
	failed        verdict = iota // nobody knows
	lookAgain                    // the entry is not as it was read, perhaps
	goOnLater                    // it never is: whoever comes next goes on
	refusedAtLast                // the server has said no and will again
)

// judge tells what a refused write means at the nth look. Some codes mean both: only after some looks is it a refusal.
func (s *Store) judge(err error, n int) verdict {
	// Active Directory answers "value exists" to a second value of an attribute that takes one.
	twofold := directory.Refused(err, directory.ConstraintViolation, directory.InsufficientAccessRights, directory.AttributeOrValueExists)
	switch {
	case s.movedOn(err) && (n < 3 || !twofold) && n < tries:
		return lookAgain
	case s.movedOn(err) && !twofold:
		return goOnLater
	case twofold || refusedForGood(err):
		return refusedAtLast
	}
	return failed
}

// entryWrite is what a change does to an entry.
type entryWrite struct {
	anchor         string
	from, old      string // attribute and value that leave; empty where none does
	into, newValue string
}

func writeOf(st *state) (entryWrite, error) {
	w := entryWrite{anchor: st.more[noteAnchor], from: st.more[noteAttribute], old: st.more[noteOldValue], into: st.more[noteInto], newValue: st.more[noteNewValue]}
	if nameFault(w.anchor) != nil || w.into == "" || w.newValue == "" {
		return w, errCorrupt
	}
	return w, nil
}

// done: an entry with the new value is written, whatever else it carries: the old one may have been added back since.
func (w entryWrite) done(e directory.Entry) bool { return contains(e, w.into, w.newValue) }

func (w entryWrite) changes(e directory.Entry) []directory.Change {
	var all []directory.Change
	if v := spelled(e, w.from, w.old); v != "" {
		all = append(all, directory.Change{Kind: directory.DeleteValues, Attribute: directory.Attribute{Name: w.from, Values: []string{v}}})
	}
	return append(all, directory.Change{Kind: directory.AddValues, Attribute: directory.Attribute{Name: w.into, Values: []string{w.newValue}}})
}

func contains(e directory.Entry, attribute, value string) bool {
	return spelled(e, attribute, value) != ""
}

// spelled is how an entry writes a value, "" if it does not have it.
func spelled(e directory.Entry, attribute, value string) string {
	for _, v := range e.Values(attribute) {
		if value != "" && strings.EqualFold(v, value) {
			return v
		}
	}
	return ""
}

// giveUp undoes a committed change whose write is refused for good. The claim says so first: from then on nobody who looks
// begins to write.
func (s *Store) giveUp(ctx context.Context, name string, st *state, end *changeEnd) error {
	x := st.as(abandoned)
	ok, err := s.swapText(ctx, name, st.text, x.String(), nil)
	if err != nil {
		return err
	}
	if !ok {
		now, err := s.read(ctx, name)
		if err != nil {
			return err
		}
		if now != nil && now.text == x.String() { // another was refused as well: that is not done
			return s.undoChange(ctx, name, now, end)
		}
		return s.outcome(ctx, now, st, end)
	}
	x.text, x.notes = x.String(), st.notes
	return s.undoChange(ctx, name, &x, end)
}

// abandon ends a change that was given up: whoever meets one does.
func (s *Store) abandon(ctx context.Context, name string, st *state) error {
	return ignoreRefusal(s.undoChange(ctx, name, st, nil))
}

// undoChange touches the entry under its mark, so that no write of the change that is still on its way can succeed. An
// entry that carries the new value after all has been changed.
func (s *Store) undoChange(ctx context.Context, name string, st *state, end *changeEnd) error {
	w, err := writeOf(st)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		e, again, err := s.seen(ctx, name, st, end, n)
		if !again || err != nil {
			return err
		}
		if e == nil {
			break
		}
		if w.done(*e) {
			return s.closeChange(ctx, name, st, nil)
		}
		done, err := s.touch(ctx, *e, markOf(st.run, w.anchor), n)
		if err != nil {
			return err
		}
		if done {
			break
		}
	}
	if err := s.unlock(ctx, w.anchor, st.run, "", nil, nil); err != nil {
		return err
	}
	to := state{phase: reserved, kind: st.kind, id: st.id, until: s.Clock().Add(s.Lease)}.String()
	if back := st.more[noteBack]; back != "" {
		to = back
	}
	if _, err := s.swapText(ctx, name, st.text, to, &notes{}); err != nil {
		return err
	}
	return ErrRefused
}

// touch swaps the mark of an entry. done is false when the entry has moved on.
func (s *Store) touch(ctx context.Context, e directory.Entry, mark string, n int) (done bool, err error) {
	err = try(ctx, func() error {
		return s.Operations.Modify(ctx, e.DN, s.Settings.MarkChanges(e, mark), directory.Filter{})
	})
	switch {
	case err == nil:
		return true, nil
	case n < tries && (s.gone(err) || directory.Refused(err, directory.NoSuchAttribute, directory.AttributeOrValueExists)):
		return false, nil
	case refusedForGood(err):
		s.Log.ErrorContext(ctx, "the mark of an entry cannot be written: check the service account's rights", "error", err)
		return true, nil
	}
	return false, err
}

// closeChange gives the old claim up, frees the anchor, and turns the new claim into a held one, last.
func (s *Store) closeChange(ctx context.Context, name string, st *state, end *changeEnd) error {
	w, err := writeOf(st)
	if err != nil {
		return err
	}
	oldName := st.more[noteOld]
	if oldName != "" {
		if err := s.giveBack(ctx, oldName, w.anchor, st, end); err != nil {
			return err
		}
	}
	var lock *state
	if end != nil {
		lock = end.lock
	}
	others := func(names []string) []string {
		return append(without(without(names, oldName), name), name)
	}
	if err := s.unlock(ctx, w.anchor, st.run, st.run, others, lock); err != nil {
		return err
	}
	to := st.as(held)
	_, err = s.swap(ctx, name, st.text, to)
	return err
}

// giveBack turns the old claim into one that is held back for the account. A stranger reads it, then the anchor: only while
// that is still locked by this change is it the claim that the change gives up, and not its next life.
func (s *Store) giveBack(ctx context.Context, name, anchor string, st *state, end *changeEnd) error {
	var old *state
	if end != nil {
		old = end.old
	} else {
		var err error
		if old, err = s.read(ctx, name); err != nil {
			return err
		}
		now, err := s.read(ctx, anchor)
		if err != nil {
			return err
		}
		if now == nil || now.phase != locked || now.change != st.run {
			return nil
		}
	}
	if old == nil || old.phase != held || old.id != st.id {
		return nil
	}
	to := state{phase: reserved, kind: old.kind, id: st.id, until: s.Clock().Add(holdOf(st.notes))}
	_, err := s.swap(ctx, name, old.text, to)
	return err
}

// unlock ends the lock of a change on an anchor. With a new run the change has happened; without, the anchor goes back to
// the run it had. others changes the names of the account's other claims.
func (s *Store) unlock(ctx context.Context, anchor, change, newRun string, others func([]string) []string, lock *state) error {
	if lock == nil {
		var err error
		if lock, err = s.read(ctx, anchor); err != nil {
			return err
		}
	}
	if lock == nil || lock.phase != locked || lock.change != change {
		return nil
	}
	to := lock.as(held)
	to.notes = notes{dn: lock.dn, others: lock.others}
	if newRun != "" {
		to.run = newRun
	}
	if others != nil {
		to.others = others(lock.others)
	}
	_, err := s.swap(ctx, anchor, lock.text, to)
	return err
}
