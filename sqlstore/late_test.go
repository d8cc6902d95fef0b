package sqlstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

// TestAnExecutionIsLateWhenItHoldsEveryName stops an execution between its last look at the time and its statement: the
// statement looks once more, when it holds every name.
func TestAnExecutionIsLateWhenItHoldsEveryName(t *testing.T) {
	var pause time.Duration
	s := open(t, sqlstore.Options{DSN: testenv.PostgreSQLDatabase(t), Hash: sqlstore.CheapestHash, Hook: func(point string) {
		if point == "sqlstore.create.uncommitted" {
			time.Sleep(pause)
		}
	}})
	a := person("ada", "ada@example.org")
	a.NotAfter, pause = time.Now().Add(time.Second), 1500*time.Millisecond
	if _, err := s.Create(t.Context(), a); !errors.Is(err, plugin.ErrUnavailable) {
		t.Fatalf("Create = %v, want ErrUnavailable", err)
	}
	if _, err := s.Lookup(t.Context(), a.Keys[1]); !errors.Is(err, plugin.ErrNotFound) {
		t.Errorf("Lookup = %v, want ErrNotFound", err)
	}
	a.NotAfter, pause = time.Now().Add(10*time.Second), 0
	if _, err := s.Create(t.Context(), a); err != nil {
		t.Errorf("the next execution: %v", err)
	}
}
