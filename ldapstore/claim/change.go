package claim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Change gives an account a key, takes one away, or both, whole or not at all. One without an anchor is ErrNotAdopted.
func (s *Store) Change(ctx context.Context, id plugin.ID, c plugin.IdentifierChange) error {
	execution := s.Begin(c.Attempt)
	defer execution.End()
	if c.Add == nil {
		return s.drop(ctx, id, c, execution)
	}
	of, err := s.find(ctx, id)
	if err != nil {
		return nothingHappenedTo(err)
	}
	return s.exchange(ctx, of, c, execution)
}

// nothingHappenedTo is nothingHappened for an account that exists or does not.
func nothingHappenedTo(err error) error {
	if errors.Is(err, plugin.ErrNotFound) || errors.Is(err, plugin.ErrConflict) {
		return err
	}
	return nothingHappened(err)
}

// exchange is a change that adds a key under way.
type exchange struct {
	*Store
	run
	of     subject
	change plugin.IdentifierChange
	// execution is that of the attempt.
	execution *Execution
	// before and lock are the anchor at rest and locked; old the claim that is given up.
	before *state
	lock   state
	old    *state
	entry  directory.Entry
}

func (s *Store) exchange(ctx context.Context, of subject, c plugin.IdentifierChange, execution *Execution) error {
	name := Name(c.Add.Canonical)
	x := &exchange{Store: s, of: of, change: c, execution: execution}
	x.run = run{id: newRun(), attempt: c.Attempt, deadline: c.NotAfter, primary: name, account: of.id}
	x.notes = notes{more: map[letter]string{noteAnchor: of.anchor, noteInto: s.attributeFor(*c.Add), noteNewValue: c.Add.Value, noteAccount: string(of.id)}}
	if c.Drop != nil {
		x.notes.more[noteOld], x.notes.more[noteAttribute], x.notes.more[noteOldValue] = Name(c.Drop.Canonical), s.attributeFor(*c.Drop), c.Drop.Value
		x.notes.more[noteHold] = strconv.FormatInt(c.Hold.Milliseconds(), 10)
		if x.notes.more[noteOld] == of.anchor || x.notes.more[noteOld] == name {
			return plugin.ErrConflict
		}
	}
	made, err := s.take(ctx, &x.run, name, kindOf(*c.Add))
	switch {
	case made == of.id && err == nil && made != "":
		return nil // another execution of the attempt has done it
	case made != "" || errors.Is(err, errTaken):
		s.release(ctx, &x.run)
		return plugin.Taken(c.Add.Attribute)
	case err != nil:
		s.release(ctx, &x.run)
		return nothingHappenedTo(err)
	}
	if err := x.prepare(ctx); err != nil {
		x.undo(ctx)
		return nothingHappenedTo(err)
	}
	return x.commit(ctx)
}

// attributeFor is where a key's value stands in an entry.
func (s *Store) attributeFor(k plugin.Key) string {
	attribute, _ := s.Settings.DirectoryAttribute(k.Attribute)
	return attribute
}

// undo gives the new claim back first, which ends the run, and then the anchor.
func (x *exchange) undo(ctx context.Context) {
	x.release(ctx, &x.run)
	if x.before == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), x.Lease)
	defer cancel()
	back := x.before.as(held)
	back.notes = notes{dn: x.before.dn, others: x.before.others}
	if _, err := x.swap(ctx, x.of.anchor, x.lock.text, back); err != nil {
		x.Log.WarnContext(ctx, "an anchor stays locked; the janitor unlocks it", "error", err)
	}
}

// prepare locks the anchor and looks at what the change is about: nothing of the account can change from then on.
func (x *exchange) prepare(ctx context.Context) (err error) {
	if x.before, x.lock, err = x.Store.lock(ctx, x.of, &x.run); err != nil {
		return err
	}
	if err := x.look(ctx); err != nil {
		return err
	}
	if x.change.Drop != nil {
		name := Name(x.change.Drop.Canonical)
		if x.old, err = x.owned(ctx, name, x.of.id); err != nil {
			return err
		}
		value := x.value(*x.change.Drop)
		if x.old == nil || value == "" {
			return fmt.Errorf("the account does not have the key: %w", plugin.ErrConflict)
		}
	}
	if x.Clock().After(x.change.NotAfter) {
		return fmt.Errorf("too late to commit: %w", plugin.ErrUnavailable)
	}
	return nil
}

// look reads the entry and who else carries the new value.
func (x *exchange) look(ctx context.Context) error {
	carries, _ := x.carrying([]plugin.Key{*x.change.Add})
	filter := directory.Or(x.Server.IDFilter(string(x.of.id)), carries)
	var entries []directory.Entry
	err := try(ctx, func() (err error) {
		entries, err = x.Operations.Search(ctx, x.Settings.People.Base, directory.Subtree, filter, 5, x.readOfEntries()...)
		return err
	})
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if x.Server.EntryID(e) == string(x.of.id) {
			x.entry, found = e, true
			continue
		}
		return plugin.Taken(x.change.Add.Attribute)
	}
	if !found {
		return plugin.ErrNotFound
	}
	if x.change.Drop != nil && contains(x.entry, x.notes.more[noteInto], x.change.Add.Value) {
		return fmt.Errorf("the entry carries the new value already: %w", plugin.ErrConflict)
	}
	return nil
}

// value is how the entry writes a key's value, "" if it does not carry it.
func (x *exchange) value(k plugin.Key) string {
	for _, v := range x.entry.Values(x.attributeFor(k)) {
		one := directory.Entry{Attributes: []directory.Attribute{{Name: x.attributeFor(k), Values: []string{v}}}}
		if x.has(one, k) {
			return v
		}
	}
	return ""
}

func (x *exchange) commit(ctx context.Context) error {
	c := state{phase: committed, kind: kindOf(*x.change.Add), attempt: x.attempt, run: x.id, id: x.of.id}
	c.text, c.notes = c.String(), x.notes
	if len(x.taken) > 0 && x.taken[0].back != "" {
		c.more = cloned(c.more)
		c.more[noteBack] = x.taken[0].back
	}
	ok := false
	err := x.execution.commits(func() (err error) {
		ok, err = x.swapText(ctx, x.primary, x.text(x.primary), c.text, nil)
		return err
	})
	if errors.Is(err, errPowerless) {
		x.undo(ctx)
		return err
	}
	if err != nil || !ok {
		st, errRead := x.read(ctx, x.primary)
		switch {
		case errRead != nil:
			return fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, errors.Join(err, errRead))
		case st != nil && st.run == x.id && (st.phase == committed || st.phase == held):
		case err != nil && !refusal(err):
			return fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, err)
		default:
			x.undo(ctx)
			return plugin.ErrUnavailable
		}
	}
	end := &changeEnd{first: &x.entry, old: x.old, lock: &x.lock}
	err = x.finishChange(ctx, x.primary, &c, end)
	switch {
	case errors.Is(err, ErrRefused):
		return fmt.Errorf("%w: %w", plugin.Refused(x.change.Add.Attribute, plugin.CodeInvalid), err)
	case err != nil && !errors.Is(err, plugin.ErrUnknownOutcome):
		return fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, err)
	}
	return err
}

// holdOf is how long a dropped claim is held back.
func holdOf(n notes) time.Duration {
	ms, err := strconv.ParseInt(n.more[noteHold], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}
