package race

import (
	"context"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

// TestTheChecksCanSee breaks a rule from outside, and demands that the checks notice.
func TestTheChecksCanSee(t *testing.T) {
	controls := []struct {
		name   string
		rounds int
		breaks func(*arena)
	}{
		{"claims are overwritten without a comparison", 3, func(a *arena) {
			a.through = func(o directory.Operations) directory.Operations { return overwriting{o, a.settings.Identifiers} }
		}},
		{"what is staged is deleted by its age, whoever lives", 10, func(a *arena) {
			stop := make(chan struct{})
			done := make(chan struct{})
			a.Cleanup(func() { close(stop); <-done })
			go func() { defer close(done); a.deleteByAge(stop) }()
		}},
	}
	for _, c := range controls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := enter(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd})
			c.breaks(a)
			if v := a.raceCreations(rounds(c.rounds)); len(v.kinds) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}

// overwriting turns each compare-and-swap of a claim into a plain write.
type overwriting struct {
	directory.Operations
	identifiers directory.DN
}

func (o overwriting) Modify(ctx context.Context, dn directory.DN, changes []directory.Change, assert directory.Filter) error {
	swap := len(changes) > 1 && changes[0].Kind == directory.DeleteValues && changes[1].Kind == directory.AddValues && changes[0].Name == changes[1].Name
	if swap && dn.Parent().Equal(o.identifiers) {
		blind := append([]directory.Change{{Kind: directory.ReplaceValues, Attribute: changes[1].Attribute}}, changes[2:]...)
		return o.Operations.Modify(ctx, dn, blind, assert)
	}
	return o.Operations.Modify(ctx, dn, changes, assert)
}

// deleteByAge is the sweeper that looks at the age of what is staged instead of at its claim.
func (a *arena) deleteByAge(stop <-chan struct{}) {
	seen := map[directory.DN]time.Time{}
	for {
		select {
		case <-stop:
			return
		case <-time.After(a.lease / 10):
		}
		staged, _ := a.admin.Search(context.Background(), a.settings.Pending, directory.OneLevel, directory.Filter{}, 0, "1.1")
		for _, e := range staged {
			if first, known := seen[e.DN]; !known {
				seen[e.DN] = time.Now()
			} else if time.Since(first) > a.lease/8 {
				_ = a.admin.Delete(context.Background(), e.DN)
			}
		}
	}
}
