package sqlstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

// TestAProcessThatStallsInTheMiddleLosesItsNames stops one process where it holds every name and has not committed. The
// server gives the names back, so that somebody else can have them, and the stalled execution comes to nothing.
func TestAProcessThatStallsInTheMiddleLosesItsNames(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	reached, goOn := make(chan struct{}), make(chan struct{})
	stalled := open(t, sqlstore.Options{
		Clock: time.Now,                                           // which the server does not see: the names are taken one after the other
		DSN:   dsn + "&idle_in_transaction_session_timeout=500ms", // the default, 10 s, takes too long for a test
		Hook: func(point string) {
			if point == "sqlstore.create.uncommitted" {
				close(reached)
				<-goOn
			}
		},
	})
	other := open(t, sqlstore.Options{DSN: dsn})
	first, second := person("ada", "ada@example.org"), person("eve", "ada@example.org")
	outcome := make(chan error)
	go func() {
		_, err := stalled.Create(t.Context(), first)
		outcome <- err
	}()
	<-reached
	if _, err := other.Create(t.Context(), second); err != nil {
		t.Errorf("somebody else wants the address: %v", err)
	}
	if _, err := other.Resolve(t.Context(), first.Attempt, first.Keys); !errors.Is(err, plugin.ErrNotFound) {
		t.Errorf("Resolve = %v, want ErrNotFound", err)
	}
	close(goOn)
	if err := <-outcome; !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("the stalled execution: %v, want ErrUnavailable", err)
	}
	if _, err := other.Lookup(t.Context(), first.Keys[0]); !errors.Is(err, plugin.ErrNotFound) {
		t.Errorf("its username: %v", err)
	}
}
