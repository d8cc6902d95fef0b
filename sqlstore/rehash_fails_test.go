package sqlstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

func TestALoginWhoseHashCannotBeRenewedSucceeds(t *testing.T) {
	each(t, func(t *testing.T, where string) { // the database refuses it
		renewalFails(t, where, where, func() func() { return refusing(t, where) })
	})
	t.Run("the database goes away", func(t *testing.T) {
		dsn := testenv.PostgreSQLDatabase(t)
		through, w := wired(t, dsn)
		renewalFails(t, dsn, through, func() func() {
			w.cutAt("UPDATE accounts SET password", false)
			return w.heal
		})
		if n := w.broken.Load(); n < 3 {
			t.Errorf("%d renewals lost their connection", n)
		}
	})
}

// renewalFails spoils all renewals from when ada's first is about to be written. The store goes through another way to the
// database.
func renewalFails(t *testing.T, where, through string, spoil func() (end func())) {
	t.Helper()
	s, _, rehashed := beforeThrough(t, where, through)
	old, _ := storedHash(t, where)
	if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret(password)); err != nil {
		t.Fatalf("the login whose hash is to be renewed: %v", err)
	}
	<-rehashed
	end := spoil()
	rehashed <- struct{}{}
	renewalBegins(t, s, bob, rehashed) // so ada's is over
	renewalBegins(t, s, ada, rehashed) // the next login, which succeeds by the old hash
	renewalBegins(t, s, bob, rehashed)
	if now, _ := storedHash(t, where); now != old {
		t.Errorf("the stored hash was %s and is %s", old, now)
	}
	if _, err := s.Authenticate(t.Context(), ada, plugin.NewSecret(password+"x")); !errors.Is(err, plugin.ErrDenied) {
		t.Errorf("another password: %v", err)
	}
	end()
	renewalBegins(t, s, ada, rehashed)
	eventuallyRenewed(t, where)
}

// refusing has the database refuse every new password until the returned function is called.
func refusing(t *testing.T, where string) (end func()) {
	t.Helper()
	db := raw(t, where)
	run := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !strings.HasPrefix(where, "postgres://") {
		run(`CREATE TRIGGER refuse BEFORE UPDATE OF password ON accounts BEGIN SELECT RAISE(ABORT, 'refused'); END`)
		return func() { run(`DROP TRIGGER refuse`) }
	}
	run(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$refused$$; END'`,
		`CREATE TRIGGER refuse BEFORE UPDATE OF password ON accounts FOR EACH ROW EXECUTE FUNCTION refuse()`)
	return func() { run(`DROP TRIGGER refuse ON accounts`) }
}
