package claim

import (
	"context"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// rewrite is what a committed change or drop does to an entry, under its mark.
type rewrite struct {
	mark string
	// seen reads the entry, then the claim that says that the rewrite is still to be done; nil: the entry is gone. again is
	// false when the claim says something else by now: then err is the answer. n counts the looks.
	seen func(n int) (e *directory.Entry, again bool, err error)
	// done tells an entry that is as it shall be, changes makes it so.
	done    func(directory.Entry) bool
	changes func(directory.Entry) []directory.Change
	// giveUp undoes what the directory refuses for good.
	giveUp func() error
}

// tries is how often an entry that moves on is looked at again.
const tries = 20

// write rewrites an entry. written is false when there is nothing to close: then err is the answer.
func (s *Store) write(ctx context.Context, w rewrite) (written bool, err error) {
	for n := 0; ; n++ {
		e, again, err := w.seen(n)
		if !again || err != nil {
			return false, err
		}
		if e == nil || w.done(*e) {
			return true, nil
		}
		err = try(ctx, func() error {
			return s.Operations.Modify(ctx, e.DN, append(s.Settings.MarkChanges(*e, w.mark), w.changes(*e)...), directory.Filter{})
		})
		if err == nil {
			return true, nil
		}
		switch s.judge(err, n) {
		case lookAgain:
			continue
		case goOnLater:
			return false, plugin.ErrUnknownOutcome
		case refusedAtLast:
			return false, w.giveUp()
		case failed:
		}
		return false, err
	}
}

// takeBack touches the entry under its mark, so that no write of the rewrite that is still on its way can succeed. written
// tells that one did; undone, that none will. When neither is so, err is the answer.
func (s *Store) takeBack(ctx context.Context, w rewrite) (undone, written bool, err error) {
	for n := 1; ; n++ {
		e, again, err := w.seen(n)
		switch {
		case !again || err != nil:
			return false, false, err
		case e == nil:
			return true, false, nil
		case w.done(*e):
			return false, true, nil
		}
		if undone, err = s.touch(ctx, *e, w.mark, n); undone || err != nil {
			return undone, false, err
		}
	}
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
