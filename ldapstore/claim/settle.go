package claim

import (
	"context"
	"errors"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// settle makes a claim that a foreign run wants say something else, or tells that it is busy: the run lives. own is the run
// that asks; nil for the janitor and for those who only look.
func (s *Store) settle(ctx context.Context, name string, st *state, own *run) (busy bool, err error) {
	primary := st
	if st.primary != name {
		if primary, err = s.read(ctx, st.primary); err != nil {
			return false, err
		}
	}
	switch {
	case primary == nil:
		return false, s.forbid(ctx, st.primary, st.run)
	case primary.run == st.run && primary.phase == committed:
		return false, s.finish(ctx, st.primary, primary)
	case primary.run == st.run && primary.phase == held:
		_, err := s.swap(ctx, name, st.text, closed(name, st.kind, st.primary, primary))
		return false, err
	case primary.run == st.run && primary.phase == wanted:
		return s.overtake(ctx, name, st.primary, primary, own)
	}
	// The primary says anything else: that run is dead for ever.
	_, err = s.swap(ctx, name, st.text, state{phase: free, run: st.run})
	return false, err
}

// overtake aborts a run that is of the asker's own attempt, or over its deadline.
func (s *Store) overtake(ctx context.Context, name, primaryName string, primary *state, own *run) (busy bool, err error) {
	same := own != nil && own.attempt == primary.attempt
	if !same && !s.Clock().After(primary.deadline) {
		return true, nil
	}
	// Who is dead aborts nobody: two executions would end one another.
	if own != nil && len(own.taken) > 0 && name != own.primary {
		if err := s.alive(ctx, own); err != nil {
			return false, err
		}
	}
	return false, s.abort(ctx, primaryName, primary)
}

// alive is errDead when a run's own primary says so.
func (s *Store) alive(ctx context.Context, r *run) error {
	own, err := s.read(ctx, r.primary)
	if err == nil && (own == nil || own.phase != wanted || own.run != r.id) {
		err = errDead
	}
	return err
}

// forbid makes the commit of a run impossible whose primary is not there.
func (s *Store) forbid(ctx context.Context, primary, run string) error {
	err := s.add(ctx, primary, state{phase: free, run: run})
	if directory.Refused(err, directory.EntryAlreadyExists) {
		return nil // it is there: to be read again
	}
	return err
}

// abort ends a run on its primary. What it staged is removed; a change stages nothing.
func (s *Store) abort(ctx context.Context, name string, primary *state) error {
	to := state{phase: free, run: primary.run}.String()
	if back := primary.more[noteBack]; back != "" {
		to = back
	}
	ok, err := s.swapText(ctx, name, primary.text, to, &notes{})
	if err != nil || !ok || primary.more[noteAnchor] != "" {
		return err
	}
	return s.deleteStaged(ctx, primary.run, name)
}

// stagedName names the staged entry of a run: whoever meets it knows which claim tells whether the run lives.
func stagedName(run, primary string) string { return run + "-" + primary }

func (s *Store) stagedDN(run, primary string) directory.DN {
	return s.Settings.Pending.Child("cn", stagedName(run, primary))
}

// stagedRun is the inverse of stagedName.
func stagedRun(dn directory.DN) (run, primary string, ok bool) {
	_, name := dn.RDN()
	run, primary, ok = strings.Cut(strings.ToLower(name), "-")
	return run, primary, ok && runFault(run) == nil && nameFault(primary) == nil
}

// deleteStaged removes the staged entry of a dead run.
func (s *Store) deleteStaged(ctx context.Context, run, primary string) error {
	return s.deletePending(ctx, s.stagedDN(run, primary))
}

var errNoRight = errors.New("the service account may not delete below ou=pending")

// deletePending removes an entry below ou=pending; an absent one is removed already.
func (s *Store) deletePending(ctx context.Context, dn directory.DN) error {
	for n := 1; ; n++ {
		err := try(ctx, func() error { return s.Operations.Delete(ctx, dn) })
		if err == nil || directory.Refused(err, directory.NoSuchObject) {
			return nil
		}
		if !s.gone(err) {
			return err
		}
		_, err = s.Operations.Read(ctx, dn, "1.1")
		switch {
		case directory.Refused(err, directory.NoSuchObject):
			return nil
		case err != nil:
			return err
		case n == looks:
			return errNoRight
		}
		if err := pause(ctx, shortPause); err != nil {
			return err
		}
	}
}

// sweep removes a staged entry whose run is dead. Reading the primary after the entry was seen is enough: a run takes its
// primary before it stages, and once dead it stays dead.
func (s *Store) sweep(ctx context.Context, dn directory.DN) (removed bool, err error) {
	run, primary, ok := stagedRun(dn)
	if !ok {
		return false, nil
	}
	st, err := s.read(ctx, primary)
	if err != nil {
		return false, err
	}
	if st == nil {
		if err := s.forbid(ctx, primary, run); err != nil {
			return false, err
		}
		if st, err = s.read(ctx, primary); err != nil || st == nil {
			return false, err
		}
	}
	if (st.phase == wanted || st.phase == committed) && st.run == run {
		return false, nil
	}
	return true, s.deleteStaged(ctx, run, primary)
}

// closed is what a claim says when the account of a committed primary is made: the anchor keeps the account's name and those
// of its other claims.
func closed(name string, k kind, primaryName string, primary *state) state {
	to := primary.as(held)
	to.kind = k
	if k.of == plugin.KindUsername {
		to.notes = notes{dn: primary.dn, others: without(append([]string{primaryName}, primary.others...), name)}
	}
	return to
}
