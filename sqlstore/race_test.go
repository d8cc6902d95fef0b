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

// callers is how many want one address at once, in the race of the contract's central promise: one of them gets it.
const callers = 64

func TestOneOfManyCallersGetsTheAddress(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		b, err := plugin.Of(t.Context(), open(t, at(where)))
		if err != nil {
			t.Fatal(err)
		}
		race(t, 100, b)
	})
}

func TestOneOfManyCallersOfThreePersistersGetsTheAddress(t *testing.T) {
	where := databases["postgresql"](t)
	race(t, 200, process(t, where).Backend(), process(t, where).Backend(), process(t, where).Backend())
}

// race lets callers want one address at the same moment, each through one of the stores in turn, again and again.
func race(t *testing.T, rounds int, stores ...plugin.Backend) {
	t.Helper()
	for round := range rounds {
		var won, lost atomic.Int64
		var all sync.WaitGroup
		start := make(chan struct{})
		for caller := range callers {
			all.Go(func() {
				<-start
				_, err := stores[caller%len(stores)].Create(context.Background(), person(fmt.Sprintf("u%dx%d", round, caller), fmt.Sprintf("ada%d@example.org", round)))
				var field *plugin.FieldError
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, plugin.ErrExists) && errors.As(err, &field) && field.Field == "mail":
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		if won.Load() != 1 || lost.Load() != callers-1 {
			t.Fatalf("round %d: %d callers won, %d were told that the address is taken", round, won.Load(), lost.Load())
		}
	}
	page, err := stores[0].Lister.List(t.Context(), plugin.ListQuery{Limit: plugin.MaxPage})
	if err != nil || len(page.Accounts) != rounds {
		t.Errorf("%d accounts exist (%v), want %d", len(page.Accounts), err, rounds)
	}
}
