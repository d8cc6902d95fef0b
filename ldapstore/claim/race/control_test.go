package race

import (
	"context"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

// broken is a server, or a connection to it, that does not do what the protocol relies on.
type broken struct {
	directory.Operations
	identifiers      directory.DN
	overwrites       bool // a compare-and-swap of a claim does not compare
	forgetsPasswords bool // passwords are not set
	keepsNames       bool // a move leaves the old name's value
	hidesWork        bool // nobody finds what there is to clean up
	keepsStaged      bool // nothing below ou=pending is deleted
}

func (b broken) Modify(ctx context.Context, dn directory.DN, changes []directory.Change, assert directory.Filter) error {
	swap := len(changes) > 1 && changes[0].Kind == directory.DeleteValues && changes[1].Kind == directory.AddValues && changes[0].Name == changes[1].Name
	if b.overwrites && swap && dn.Parent().Equal(b.identifiers) {
		changes = append([]directory.Change{{Kind: directory.ReplaceValues, Attribute: changes[1].Attribute}}, changes[2:]...)
	}
	return b.Operations.Modify(ctx, dn, changes, assert)
}

func (b broken) SetPassword(ctx context.Context, dn directory.DN, password string) error {
	if b.forgetsPasswords {
		return nil
	}
	return b.Operations.SetPassword(ctx, dn, password)
}

func (b broken) Move(ctx context.Context, dn, to directory.DN, deleteOldRDN bool, assert directory.Filter) error {
	return b.Operations.Move(ctx, dn, to, deleteOldRDN && !b.keepsNames, assert)
}

func (b broken) Delete(ctx context.Context, dn directory.DN) error {
	if b.keepsStaged {
		return nil
	}
	return b.Operations.Delete(ctx, dn)
}

func (b broken) Search(ctx context.Context, base directory.DN, scope directory.Scope, filter directory.Filter, limit int, attributes ...string) ([]directory.Entry, error) {
	if b.hidesWork && base.Under(b.identifiers) {
		return nil, nil
	}
	return b.Operations.Search(ctx, base, scope, filter, limit, attributes...)
}

// TestTheChecksCanSee breaks what the protocol relies on, and demands that the checks notice it.
func TestTheChecksCanSee(t *testing.T) {
	controls := []struct {
		name   string
		breaks broken
		sees   string
	}{
		{"claims that are overwritten without a comparison", broken{overwrites: true}, "a name on several accounts"},
		{"passwords that are not set", broken{forgetsPasswords: true}, "its own password is no good"},
		{"traces of the staged name", broken{keepsNames: true}, "an account has leftovers"},
		{"work that no janitor finds", broken{hidesWork: true}, "a claim is open"},
		{"what was staged and never deleted", broken{keepsStaged: true}, "left below ou=pending"},
	}
	for _, c := range controls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := enter(t, testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: testenv.StartSlapd})
			a.through = func(o directory.Operations) directory.Operations {
				b := c.breaks
				b.Operations, b.identifiers = o, a.settings.Identifiers
				return b
			}
			kinds := map[string]int{}
			for range 20 { // it is chance
				v := a.raceCreations(2)
				for kind, n := range v.kinds {
					kinds[kind] += n
				}
				if kinds[c.sees] > 0 {
					return
				}
			}
			t.Errorf("it should have been seen as %q; seen: %v", c.sees, kinds)
		})
	}
}
