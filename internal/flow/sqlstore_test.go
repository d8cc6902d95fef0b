package flow_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
)

// withSQL starts the engine on the SQL store with the cheapest hash.
func withSQL(t testing.TB) (*world, *sqlstore.Store) {
	t.Helper()
	w := newWorld(t, "")
	w.clock.now = time.Now().UTC()
	store, err := sqlstore.Open(context.Background(), sqlstore.Options{
		Path: filepath.Join(w.dir, "accounts.db"), Hash: sqlstore.CheapestHash, Clock: w.clock.Now,
	})
	w.must(err)
	t.Cleanup(func() { _ = store.Close() })
	backend, err := plugin.Of(context.Background(), store)
	w.must(err)
	w.restart("", func(c *flow.Config) { c.Store = backend })
	return w, store
}

func TestTheSQLStoreKeepsWhatWasRegistered(t *testing.T) {
	w, store := withSQL(t)
	p := w.begin().toPassword("Ada.Lovelace@Example.org").finish()
	for _, name := range []string{"ada.lovelace@example.ORG", p.last.Username} {
		id, err := w.rules.Login(name)
		w.must(err)
		account, err := store.Authenticate(context.Background(), id.Key("", true), plugin.NewSecret(goodPassword))
		w.must(err)
		if account.Username != p.last.Username || account.Attributes.Text("mail") != "Ada.Lovelace@Example.org" {
			t.Errorf("%s opens %+v", name, account)
		}
	}
}

func TestFiftyRegistrationsOfEqualAddressesMakeOneSQLAccount(t *testing.T) {
	w, store := withSQL(t)
	people := make([]*person, 50)
	for i := range people {
		people[i] = w.begin().toPassword([]string{"ada@example.org", "ADA@EXAMPLE.ORG"}[i%2])
	}
	var mu sync.Mutex
	completed, taken := 0, 0
	together(len(people), func(i int) {
		_, err := w.Answer(context.Background(), people[i].token, "password", answerOf(items(object{"password": goodPassword})))
		var problem *flow.Problem
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			completed++
		case errors.As(err, &problem) && problem.Code == flow.CodeIdentifierTaken:
			taken++
		default:
			t.Errorf("got %v", err)
		}
	})
	page, err := store.List(context.Background(), plugin.ListQuery{Limit: 10})
	w.must(err)
	if completed != 1 || taken != 49 || len(page.Accounts) != 1 {
		t.Errorf("%d completed, %d were refused, %d accounts", completed, taken, len(page.Accounts))
	}
}

// BenchmarkRegistration walks the built-in flow from its start to the account.
func BenchmarkRegistration(b *testing.B) {
	w, _ := withSQL(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		email := string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676%26), 'a' + byte(i/17576%26)}) + "@example.org"
		w.begin().toPassword(email).finish()
	}
}
