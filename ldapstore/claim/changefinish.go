package claim

import (
	"context"

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

// finishChange writes the entry of a committed change and closes it. The entry is read first, the claim second, and the
// write tests the mark that was read: while the claim still says committed, what was read is not older than the change.
func (s *Store) finishChange(ctx context.Context, name string, st *state, end *changeEnd) error {
	w, err := writeOf(st)
	if err != nil {
		return err
	}
	written, err := s.write(ctx, rewrite{
		mark: markOf(st.run, w.anchor), done: w.done, changes: w.changes,
		seen:   func(n int) (*directory.Entry, bool, error) { return s.seen(ctx, name, st, end, n) },
		giveUp: func() error { return s.giveUp(ctx, name, st, end) },
	})
	if !written || err != nil {
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
	undone, changed, err := s.takeBack(ctx, rewrite{
		mark: markOf(st.run, w.anchor), done: w.done,
		seen: func(n int) (*directory.Entry, bool, error) { return s.seen(ctx, name, st, end, n) },
	})
	if changed {
		return s.closeChange(ctx, name, st, nil)
	}
	if !undone || err != nil {
		return err
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
