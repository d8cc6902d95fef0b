package claim

import (
	"context"
	"errors"
	"slices"

	"github.com/narthex/narthex/plugin"
)

// runKnown gives a known account what an admin has added by hand, and its anchor the name that an admin has given the entry.
func (a *adopting) runKnown(ctx context.Context, anchor *state) error {
	var names []string
	for _, k := range a.others {
		name := Name(k.Canonical)
		if a.census.meet(name, a.ID) && slices.Contains(anchor.others, name) {
			names = append(names, name)
			continue
		}
		st, err := a.settled(ctx, name)
		if err != nil || a.Busy {
			return err
		}
		switch {
		case st != nil && st.phase == held && st.id == a.ID:
			names = append(names, name)
		case st != nil && !a.mayTake(st):
			a.Taken = append(a.Taken, k)
		default:
			if err := a.addByHand(ctx, k); err != nil {
				return err
			}
		}
	}
	return a.correct(ctx, anchor, names)
}

// addByHand claims a value that the entry carries already, as if the account had just added it.
func (a *adopting) addByHand(ctx context.Context, k plugin.Key) error {
	err := a.Change(ctx, a.ID, plugin.IdentifierChange{Attempt: newAttempt(), NotAfter: a.Clock().Add(a.Lease), Add: &k})
	switch {
	case errors.Is(err, plugin.ErrExists):
		a.Taken = append(a.Taken, k)
		return nil
	case err != nil:
		return err
	}
	a.Claimed++
	return nil
}

// correct mends what an anchor at rest keeps: the entry's name, and claims that are the account's and missing in its list.
func (a *adopting) correct(ctx context.Context, anchor *state, names []string) error {
	if a.Claimed > 0 {
		a.Wait() // what was just added changes the anchor, too
		now, err := a.settled(ctx, a.anchorName)
		if err != nil || a.Busy || now == nil || !now.isAnchorOf(a.ID) {
			return err
		}
		anchor = now
	}
	missing := slices.DeleteFunc(names, func(n string) bool { return slices.Contains(anchor.others, n) })
	if len(missing) == 0 && anchor.dn.Equal(a.DN) {
		return nil
	}
	to := anchor.as(held)
	to.run, to.notes = newRun(), notes{dn: a.DN, others: append(slices.Clone(anchor.others), missing...)}
	_, err := a.swap(ctx, a.anchorName, anchor.text, to) // lost: somebody is changing the account, and the next adoption sees
	return err
}
