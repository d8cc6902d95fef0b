package testenv_test

import (
	"net/http"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// TestStateAndAccountsMayShareOneDatabase starts twice on it, so that both bring their tables up to date beside each
// other.
func TestStateAndAccountsMayShareOneDatabase(t *testing.T) {
	t.Parallel()
	dsn := testenv.PostgreSQLDatabase(t)
	env := []string{cheapHash, sharedSecret, "NARTHEX_STATE_DSN=" + dsn, "NARTHEX_SQL_DSN=" + dsn}
	first := testenv.Start(t, env...)
	if _, err := testenv.NewClient(first.URL).Register(victim, first.Code); err != nil {
		t.Fatal(err)
	}
	if code := first.Terminate(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	second := testenv.Start(t, env...)
	if r, err := testenv.NewClient(second.URL).Login(victim.Email, victim.Password); err != nil || r.Status != http.StatusOK {
		t.Errorf("login after a restart: %d %s %v", r.Status, r.Raw, err)
	}
}
