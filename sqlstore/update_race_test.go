package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/narthex/narthex/plugin"
)

// TestOneOfManyChangesOfAValueWins lets callers replace the same value at the same moment, each through a store of its
// own: every other one is told that another value was there.
func TestOneOfManyChangesOfAValueWins(t *testing.T) {
	const callers, rounds = 8, 20
	dsn := databases["postgresql"](t)
	first := open(t, at(dsn))
	stores := []interface {
		Update(ctx context.Context, id plugin.ID, c plugin.Change) (plugin.Account, error)
	}{first, open(t, at(dsn))}
	made, err := first.Create(t.Context(), person("ada", "ada@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	old := "Lovelace"
	for round := range rounds {
		var won, lost atomic.Int64
		var now atomic.Pointer[string]
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				name := fmt.Sprintf("name %d of %d", caller, round)
				_, err := stores[caller%2].Update(context.Background(), made.ID, plugin.Change{Attributes: map[string]plugin.AttributeChange{
					"sn": {Old: []plugin.Value{plugin.StringValue(old)}, New: []plugin.Value{plugin.StringValue(name)}}}})
				switch {
				case err == nil:
					won.Add(1)
					now.Store(&name)
				case errors.Is(err, plugin.ErrConflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || lost.Load() != callers-1 {
			t.Fatalf("round %d: %d changes were made, %d refused", round, won.Load(), lost.Load())
		}
		old = *now.Load()
		if a, err := first.Get(t.Context(), made.ID); err != nil || a.Attributes.Text("sn") != old {
			t.Fatalf("round %d: it holds %q (%v), want %q", round, a.Attributes.Text("sn"), err, old)
		}
	}
}
