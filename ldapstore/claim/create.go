package claim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Creation is one execution of an attempt to make an account.
type Creation struct {
	*Execution
	Attempt  plugin.Attempt
	NotAfter time.Time
	Keys     []plugin.Key
	// Build makes the entry; mark is the first value of its mark. It is called once, before anything is written.
	Build func(mark string) (entry.Draft, error)
	// SetPassword sets the password of the staged entry; nil where the entry has it already, or none.
	SetPassword func(ctx context.Context, dn directory.DN) error
}

// Made is an account that a creation made or found.
type Made struct {
	ID plugin.ID
	// Found: another execution of the attempt made it.
	Found bool
}

// creation is an execution under way.
type creation struct {
	*Store
	Creation
	run
	names  []string // in order: the first is the primary
	keys   map[string]plugin.Key
	anchor string
	draft  entry.Draft
	// staged is what was added, to tell how it is enabled.
	staged directory.Entry
}

// Create makes an account, whole or not at all. ErrExists and ErrInvalid come in a *FieldError; whatever fails before the
// commit is ErrUnavailable, because nothing happened and nothing will.
func (s *Store) Create(ctx context.Context, c Creation) (Made, error) {
	m, err := s.begin(c)
	if err != nil {
		return Made{}, err
	}
	if made, err := m.takeAll(ctx); err != nil || made.Found {
		m.release(ctx)
		return made, err
	}
	id, err := m.stage(ctx)
	if err == nil && s.Clock().After(c.NotAfter) {
		err = fmt.Errorf("too late to commit: %w", plugin.ErrUnavailable)
	}
	if err != nil {
		m.undo(ctx)
		return m.ours(ctx, err)
	}
	return m.commit(ctx, id)
}

func (s *Store) begin(c Creation) (*creation, error) {
	m := &creation{Store: s, Creation: c, keys: map[string]plugin.Key{}}
	for _, k := range c.Keys {
		name := Name(k.Canonical)
		m.keys[name], m.names = k, append(m.names, name)
		if k.Kind == plugin.KindUsername {
			m.anchor = name
		}
	}
	slices.Sort(m.names)
	m.run = run{id: newRun(), attempt: c.Attempt, deadline: c.NotAfter, primary: m.names[0]}
	var err error
	if m.draft, err = c.Build(markOf(m.id, m.anchor)); err != nil {
		return nil, err
	}
	m.notes = notes{dn: m.draft.DN, others: m.names[1:], groups: m.draft.Groups}
	return m, nil
}

// markOf is the mark of an entry: the run that wrote it last, and where the account's anchor is.
func markOf(run, anchor string) string { return run + "-" + anchor }

// NextMark is a mark of nobody's run for an entry that has one: whoever writes under the one before is refused.
func NextMark(mark string) string {
	if anchor, ok := anchorIn(mark); ok {
		return markOf(newRun(), anchor)
	}
	return newRun()
}

// anchorIn reads the name of an anchor from a mark.
func anchorIn(mark string) (string, bool) {
	_, anchor, _ := strings.Cut(mark, "-")
	return anchor, nameFault(anchor) == nil
}

func (m *creation) release(ctx context.Context) { m.Store.release(ctx, &m.run) }

// undo removes what was staged and gives everything back.
func (m *creation) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.Lease)
	defer cancel()
	if err := m.deleteStaged(ctx, m.id, m.primary); err != nil {
		m.Log.WarnContext(ctx, "a staged entry is not removed; the janitor does it", "error", err)
	}
	m.release(ctx)
}

// takeAll takes every name in order: the answer for one comes before the next is asked for.
func (m *creation) takeAll(ctx context.Context) (Made, error) {
	for _, name := range m.names {
		id, err := m.take(ctx, &m.run, name, kindOf(m.keys[name]))
		switch {
		case id != "":
			return Made{id, true}, nil
		case errors.Is(err, errTaken):
			return m.ours(ctx, plugin.Taken(m.keys[name].Attribute))
		case err != nil:
			return Made{}, nothingHappened(err)
		}
	}
	return Made{}, nil
}

// ours looks, before anybody is told that a name is taken, whether the attempt's own account has it: its aliases may have
// changed since.
func (m *creation) ours(ctx context.Context, err error) (Made, error) {
	if !errors.Is(err, plugin.ErrExists) {
		return Made{}, nothingHappened(err)
	}
	anchor, errRead := m.read(ctx, m.anchor)
	if errRead != nil {
		return Made{}, nothingHappened(errRead)
	}
	if anchor != nil && anchor.attempt == m.attempt && anchor.isAnchorOf(anchor.id) {
		return Made{anchor.id, true}, nil
	}
	return Made{}, err
}

// nothingHappened is the error of what failed before a commit: only this process could have committed, and it does not.
func nothingHappened(err error) error {
	if err == nil || errors.Is(err, plugin.ErrExists) || errors.Is(err, plugin.ErrInvalid) || errors.Is(err, plugin.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", plugin.ErrUnavailable, err)
}

// commit makes the account the primary's: from then on it exists, whoever finishes it.
func (m *creation) commit(ctx context.Context, id plugin.ID) (Made, error) {
	c := state{phase: committed, kind: kindOf(m.keys[m.primary]), attempt: m.attempt, run: m.id, id: id}
	c.text, c.notes = c.String(), m.notes
	ok := false
	err := m.commits(func() (err error) {
		ok, err = m.swapText(ctx, m.primary, m.text(m.primary), c.text, nil)
		return err
	})
	if errors.Is(err, errPowerless) {
		m.undo(ctx)
		return Made{}, err
	}
	if err != nil || !ok {
		if made, done, err := m.lost(ctx, err); done {
			return made, err
		}
	}
	f, err := m.moveIn(ctx, m.primary, &c, &m.staged)
	if err == nil {
		err = f.join(ctx)
	}
	if err != nil {
		return Made{}, fmt.Errorf("%w: the account is committed and not in its place yet: %w", plugin.ErrUnknownOutcome, err)
	}
	m.afterwards(ctx, "creation", func(ctx context.Context) error { return f.close(ctx, m.texts()) })
	return Made{ID: id}, nil
}

// texts are what the claims say that the run has taken, by name: whoever has committed need not read them again.
func (m *creation) texts() map[string]string {
	all := map[string]string{}
	for _, t := range m.taken {
		all[t.name] = t.text
	}
	return all
}

// lost judges a commit that was refused or not answered. done is false when it happened after all.
func (m *creation) lost(ctx context.Context, failed error) (made Made, done bool, err error) {
	st, err := m.read(ctx, m.primary)
	switch {
	case err != nil:
		return Made{}, true, fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, errors.Join(failed, err))
	case st != nil && st.run == m.id && (st.phase == committed || st.carries(m.id)):
		return Made{}, false, nil
	case failed != nil && !refusal(failed): // it may still happen: touch nothing
		return Made{}, true, fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, failed)
	}
	m.undo(ctx)
	if st == nil {
		return Made{}, true, plugin.ErrUnavailable
	}
	same := st.attempt == m.attempt
	switch st.phase {
	case committed:
		if !same {
			return Made{}, true, plugin.Taken(m.keys[m.primary].Attribute)
		}
		if err := m.finish(ctx, m.primary, st); err != nil {
			return Made{}, true, fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, err)
		}
		return Made{st.id, true}, true, nil
	case held, locked, losing, keeping:
		if same {
			return Made{st.id, true}, true, nil
		}
		return Made{}, true, plugin.Taken(m.keys[m.primary].Attribute)
	case wanted:
		if same {
			return Made{}, true, plugin.ErrUnknownOutcome
		}
	case free, abandoned, deleted, reserved:
	}
	return Made{}, true, plugin.ErrUnavailable
}

func refusal(err error) bool { return directory.Refused(err) }
