package claim

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

var (
	// errTaken says that somebody else holds a claim.
	errTaken = errors.New("the name is taken")
	// errDead says that this run was aborted by another: it may not do anything any more.
	errDead = errors.New("another execution has ended this one")
)

// run is one execution of an attempt: its primary decides whether it lives. It takes that once, first, and never again.
type run struct {
	id       string
	attempt  plugin.Attempt
	deadline time.Time
	primary  string
	notes    notes // of the primary, while it is open
	// account is whose change this is; empty for a creation. What is held back for it, it may take.
	account plugin.ID
	taken   []taken
	// missed counts how often the account that holds a name was nowhere.
	missed int
}

// taken is a claim that a run holds, what it says, and the text it goes back to if the run fails.
type taken struct {
	name string
	text string
	back string
}

// wants is what a claim says that the run takes.
func (r *run) wants(name string, k kind, back string) state {
	s := state{phase: wanted, kind: k, attempt: r.attempt, run: r.id, primary: r.primary, deadline: r.deadline, notes: notes{mark: open}}
	if name == r.primary {
		s.notes = r.notes
		s.mark = open
		if back != "" {
			s.more = cloned(s.more)
			s.more[noteBack] = back
		}
	}
	return s
}

func cloned(m map[letter]string) map[letter]string {
	c := map[letter]string{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func (r *run) took(name string, s state, back string) {
	r.taken = append(r.taken, taken{name, s.String(), back})
}

// text is what a claim says that the run has taken.
func (r *run) text(name string) string {
	for _, t := range r.taken {
		if t.name == name {
			return t.text
		}
	}
	return ""
}

// take takes a name for a run. It returns the account that the run's own attempt has made, if another execution did.
func (s *Store) take(ctx context.Context, r *run, name string, k kind) (made plugin.ID, err error) {
	st := r.wants(name, k, "")
	err = s.add(ctx, name, st)
	if err == nil {
		r.took(name, st, "")
		return "", nil
	}
	if !directory.Refused(err, directory.EntryAlreadyExists) {
		return "", err
	}
	for wait := 5 * time.Millisecond; ; {
		now, err := s.read(ctx, name)
		if err != nil {
			return "", err
		}
		if now == nil { // it was there and is not: somebody deletes claims by hand
			return "", plugin.ErrUnavailable
		}
		done, made, busy, err := s.takeFrom(ctx, r, name, k, now)
		if done || err != nil {
			return made, err
		}
		if !busy {
			continue
		}
		if err := pause(ctx, wait); err != nil {
			return "", err
		}
		wait = min(2*wait, time.Second)
	}
}

// takeFrom makes one step towards a claim that says something: takes it, or brings it nearer to being free or held.
func (s *Store) takeFrom(ctx context.Context, r *run, name string, k kind, now *state) (done bool, made plugin.ID, busy bool, err error) {
	switch now.phase {
	case free, reserved:
		done, err = s.takeOver(ctx, r, name, k, now)
		return done, "", false, err
	case held, locked, losing, keeping:
		if now.attempt == r.attempt {
			return true, now.id, false, nil
		}
		leaving, err := s.leaving(ctx, r, name, now)
		if err != nil || leaving {
			return false, "", leaving, err
		}
		return true, "", false, errTaken
	case deleted:
		return true, "", false, errTaken
	case committed:
		return false, "", false, s.finish(ctx, name, now)
	case abandoned:
		return false, "", false, s.abandon(ctx, name, now)
	default: // wanted
		busy, err = s.settle(ctx, name, now, r)
		return false, "", busy, err
	}
}

// leaving tells whether a claim is about to be given up by who has it, whose caller has been answered: the account is being
// deleted, and out of its place or gone, or it has lost the value. One that stays nowhere was removed by hand.
func (s *Store) leaving(ctx context.Context, r *run, name string, st *state) (bool, error) {
	e, err := s.lookByID(ctx, st.id, s.Settings.Mark)
	switch {
	case err != nil:
		return false, err
	case e != nil && e.DN.Equal(s.goneDN(st.id)):
		return true, nil
	case e != nil:
		given, err := s.givenUp(ctx, name, st, *e)
		if err != nil || !given {
			return false, err
		}
	}
	r.missed++
	return r.missed < looks, nil
}

// givenUp finishes the change or the drop that takes a claim from an account, if there is one.
func (s *Store) givenUp(ctx context.Context, name string, st *state, e directory.Entry) (bool, error) {
	at, ok := anchorIn(e.Value(s.Settings.Mark))
	if !ok || at == name || st.phase != held {
		return false, nil
	}
	anchor, err := s.read(ctx, at)
	if err != nil || anchor == nil || anchor.id != st.id {
		return false, err
	}
	switch {
	case anchor.phase == losing && anchor.of == name:
		return true, ignoreRefusal(s.finishDrop(ctx, at, anchor, nil))
	case anchor.phase == locked:
		primary, err := s.read(ctx, anchor.of)
		if err != nil || primary == nil || primary.phase != committed || primary.run != anchor.change || primary.more[noteOld] != name {
			return false, err
		}
		return true, s.finish(ctx, anchor.of, primary)
	}
	return false, nil
}

// takeOver swaps a claim that nobody uses. What is held back is for the account that had it; for others when its time is
// over, and a username has two such times: in between, late writes to groups are cleared away.
func (s *Store) takeOver(ctx context.Context, r *run, name string, k kind, now *state) (bool, error) {
	back := ""
	if now.phase == reserved {
		own := r.account != "" && now.id == r.account
		switch {
		case own:
			back = now.text
		case !s.Clock().After(now.until):
			return true, errTaken
		case now.dn != "":
			return true, errors.Join(errTaken, s.halve(ctx, name, now))
		}
	}
	st := r.wants(name, k, back)
	ok, err := s.swap(ctx, name, now.text, st)
	if ok {
		r.took(name, st, back)
	}
	return ok, err
}

// release gives back what a run has taken, the primary first: from then on the run is dead for everybody. What cannot be
// given back now, the janitor gives back.
func (s *Store) release(ctx context.Context, r *run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Lease)
	defer cancel()
	for _, t := range r.taken {
		to := t.back
		if to == "" {
			to = state{phase: free, run: r.id}.String()
		}
		if _, err := s.swapText(ctx, t.name, t.text, to, &notes{}); err != nil {
			s.Log.WarnContext(ctx, "a claim is not given back; the janitor does it", "error", err)
			return
		}
	}
}
