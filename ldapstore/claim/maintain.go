package claim

import (
	"context"
	"errors"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// batch bounds what one call of Maintain looks at.
const batch = 200

// Maintain finishes or undoes what others have left behind: open claims, usernames whose first hold is over, staged
// entries of dead runs.
func (s *Store) Maintain(ctx context.Context) (plugin.MaintainReport, error) {
	var report plugin.MaintainReport
	var errs []error
	claims, more, err := s.list(ctx, s.Settings.Identifiers, directory.Equal(s.layout.mark, open), batch)
	if err != nil {
		return report, err
	}
	due, moreDue, err := s.listDue(ctx)
	if err != nil {
		return report, err
	}
	for _, e := range append(claims, due...) {
		_, name := e.DN.RDN()
		done, err := s.visit(ctx, name)
		if err != nil {
			errs = append(errs, err)
		}
		if done {
			report.Finished++
		}
	}
	pending, morePending, err := s.list(ctx, s.Settings.Pending, directory.Present("objectClass"), batch)
	if err != nil {
		return report, errors.Join(append(errs, err)...)
	}
	for _, e := range pending {
		removed, err := s.visitPending(ctx, e.DN)
		if err != nil {
			errs = append(errs, err)
		}
		if removed {
			report.Removed++
		}
	}
	report.More = (more || moreDue || morePending) && report.Finished+report.Removed > 0
	return report, errors.Join(errs...)
}

// list returns up to limit entries right below a parent, and whether there are more.
func (s *Store) list(ctx context.Context, parent directory.DN, filter directory.Filter, limit int, attributes ...string) (entries []directory.Entry, more bool, err error) {
	err = try(ctx, func() (err error) {
		entries, err = s.Operations.Search(ctx, parent, directory.OneLevel, filter, limit, attributes...)
		return err
	})
	if directory.Refused(err, directory.SizeLimitExceeded) {
		return entries, true, nil
	}
	return entries, len(entries) >= limit, err
}

// manyHeld is how many usernames in the first half of their hold are looked through for those that are due.
const manyHeld = 5000

// listDue returns up to batch usernames whose first half of the hold is over. They are many after a large deletion, and for
// hours: the open claims must not wait behind them.
func (s *Store) listDue(ctx context.Context) (due []directory.Entry, more bool, err error) {
	held, _, err := s.list(ctx, s.Settings.Identifiers, directory.Equal(s.layout.mark, holding), manyHeld, s.layout.state)
	for _, e := range held {
		st, fault := parse(e.Value(s.layout.state))
		if fault != nil || !s.Clock().After(st.until) {
			continue
		}
		if len(due) == batch {
			return due, true, err
		}
		due = append(due, e)
	}
	return due, false, err
}

// visit brings one claim as far as it can be brought now.
func (s *Store) visit(ctx context.Context, name string) (done bool, err error) {
	for range 4 {
		st, err := s.read(ctx, name)
		if err != nil || st == nil {
			return done, err
		}
		busy := false
		switch st.phase {
		case committed:
			err = s.finish(ctx, name, st)
		case abandoned:
			err = s.abandon(ctx, name, st)
		case deleted:
			err = s.finishDelete(ctx, name, st, true)
		case losing:
			err = ignoreRefusal(s.finishDrop(ctx, name, st, nil))
		case keeping:
			err = ignoreRefusal(s.giveUpDrop(ctx, name, st, nil))
		case locked:
			busy, err = s.settleLock(ctx, name, st, nil)
		case wanted:
			busy, err = s.settle(ctx, name, st, nil)
		case reserved:
			if st.dn == "" || !s.Clock().After(st.until) {
				return done, nil
			}
			err = s.halve(ctx, name, st)
		default:
			return done, nil
		}
		if busy || err != nil {
			return done, err
		}
		done = true
	}
	return done, nil
}

// visitPending removes a staged entry of a dead run; what a deletion has left there, its anchor's visit removes.
func (s *Store) visitPending(ctx context.Context, dn directory.DN) (bool, error) {
	if _, _, staged := stagedRun(dn); staged {
		return s.sweep(ctx, dn)
	}
	if s.Server.Kind == directory.DS389 {
		_, id := dn.RDN()
		return s.putBack(ctx, dn, plugin.ID(id))
	}
	return false, nil
}
