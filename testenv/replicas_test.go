package testenv_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

// sharedSecret is the one secret of sidecars that share a state database.
const sharedSecret = "NARTHEX_SECRET=5b1d6f0f2a7c49e8b3d4a6978c0e1f2233445566778899aabbccddeeff001122"

// replicas are two sidecars on one state database and one account database.
type replicas struct {
	*testing.T
	sidecars        []*testenv.Sidecar
	state, accounts string
	// front is the URL of a proxy in front of both; empty: people find the sidecars themselves.
	front string
	// addresses counts the people whom the proxy knows by an address of their own.
	addresses atomic.Int64
}

// unlimited is the built-in flow for people who begin anew more often than others, because they are cut off.
func unlimited(t *testing.T) string {
	t.Helper()
	return builtinAnd(t, "limits: {messages_per_address: 1000/hour, guesses_per_address: 1000/hour}\n")
}

func startReplicas(t *testing.T, database func(testing.TB) string, env ...string) *replicas {
	t.Helper()
	r := &replicas{T: t, state: database(t), accounts: database(t)}
	for range 2 {
		r.sidecars = append(r.sidecars, testenv.Start(t, append(env, cheapHash, sharedSecret, "NARTHEX_STATE_DSN="+r.state, "NARTHEX_SQL_DSN="+r.accounts)...))
	}
	return r
}

// mails returns every mail that either sidecar wrote for an address as it was typed.
func (r *replicas) mails(to string) (all []testenv.Mail, err error) {
	for _, s := range r.sidecars {
		found, err := s.Mails(to)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// TestARegistrationGoesOnAtTheOtherSidecar sends every request of one registration to the sidecar that did not answer
// the one before.
func TestARegistrationGoesOnAtTheOtherSidecar(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{
		"over TCP":                           testenv.PostgreSQLDatabase,
		"through the database's Unix socket": testenv.StartPostgreSQL(t, false).SocketDatabase,
	} {
		t.Run(name, func(t *testing.T) {
			startReplicas(t, database).goesOnAtTheOther()
		})
	}
}

func (r *replicas) goesOnAtTheOther() {
	t := r.T
	w := r.person(victim)
	if got := w.walk(); got != outcomeDone {
		t.Fatalf("the registration ends as %q", got)
	}
	for _, s := range r.sidecars {
		if reply, err := testenv.NewClient(s.URL).Login(strings.ToUpper(victim.Email), victim.Password); err != nil || reply.Status != http.StatusOK {
			t.Errorf("login: %d %s %v", reply.Status, reply.Raw, err)
		}
	}
	if w.visited[0] == 0 || w.visited[1] == 0 {
		t.Errorf("requests at the two: %v", w.visited)
	}
	r.check([]*walker{w})
}

// TestASidecarDiesUnderLoadAndTheOtherGoesOn kills one of two sidecars with everything it has begun.
func TestASidecarDiesUnderLoadAndTheOtherGoesOn(t *testing.T) {
	t.Parallel()
	r := startReplicas(t, testenv.PostgreSQLDatabase, unlimited(t))
	r.check(r.load(func() { r.sidecars[0].Kill() }))
}

// TestPostgreSQLDiesUnderLoadAndIsUsedAgain kills the database server with everything it has begun, and starts it again.
func TestPostgreSQLDiesUnderLoadAndIsUsedAgain(t *testing.T) {
	t.Parallel()
	server := testenv.StartPostgreSQL(t, false)
	r := startReplicas(t, server.Database, unlimited(t))
	r.check(r.load(func() {
		server.Kill()
		time.Sleep(time.Second)
		server.Restart(t)
	}))
	for _, s := range r.sidecars {
		if s.Exited() {
			t.Errorf("a sidecar ended with its database\n%s", s.Log())
		}
	}
}

// load lets pairs of people register for one address after the other, each pair for the same one, each at a sidecar of
// their own first. In the middle something bad happens; whoever has begun goes on until it is decided.
func (r *replicas) load(disaster func()) []*walker {
	const pairs = 4
	var mu sync.Mutex
	var people []*walker
	var all sync.WaitGroup
	stop := make(chan struct{})
	for pair := range pairs {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				// One mailbox in two spellings: each of the two can tell whose mail is whose.
				a := r.person(testenv.Person{Email: fmt.Sprintf("person%dx%d@example.org", pair, n), GivenName: "Firstgiven", FamilyName: "Firstfamily", Password: "the first of the two wants it"})
				b := r.person(testenv.Person{Email: fmt.Sprintf("Person%dx%d@Example.org", pair, n), GivenName: "Secondgiven", FamilyName: "Secondfamily", Password: "the second of the two wants it"})
				b.turn = 1
				mu.Lock()
				people = append(people, a, b)
				mu.Unlock()
				var both sync.WaitGroup
				both.Go(func() { a.outcome = a.walk() })
				both.Go(func() { b.outcome = b.walk() })
				both.Wait()
			}
		})
	}
	time.Sleep(1500 * time.Millisecond)
	disaster()
	time.Sleep(1500 * time.Millisecond)
	close(stop)
	all.Wait()
	return people
}

// check looks at what must hold however people got there: who was told to have an account has one and logs in with the
// own password, no address has two, and no message is left behind.
func (r *replicas) check(people []*walker) {
	r.Helper()
	winners := map[string]*walker{}
	for _, w := range people {
		address := strings.ToLower(w.person.Email)
		if w.outcome == outcomeTaken {
			continue
		}
		if w.outcome != outcomeDone {
			r.Errorf("%s ended as %q\n%s", w.person.Email, w.outcome, w.last.Raw)
			continue
		}
		if other := winners[address]; other != nil {
			r.Errorf("%s and %s were both told to have the account", w.person.Email, other.person.Email)
		}
		winners[address] = w
		if reply := w.ask(func() (testenv.Reply, error) { return w.client.Login(w.person.Email, w.person.Password) }); reply.Status != http.StatusOK || reply.Account.Username != w.username {
			r.Errorf("%s cannot log in: %d %s", w.person.Email, reply.Status, reply.Raw)
		}
	}
	stored := r.stored()
	for address, n := range stored {
		if n != 1 || winners[address] == nil {
			r.Errorf("%s has %d accounts; told so: %v", address, n, winners[address] != nil)
		}
	}
	for _, w := range people {
		if stored[strings.ToLower(w.person.Email)] == 0 {
			r.Errorf("nobody got %s", w.person.Email)
		}
	}
	r.noMessageStays()
	r.Logf("%d people, %d accounts", len(people), len(stored))
}

// stored counts the accounts of every address.
func (r *replicas) stored() map[string]int {
	r.Helper()
	store, err := sqlstore.Open(r.Context(), sqlstore.Options{DSN: r.accounts})
	if err != nil {
		r.Fatal(err)
	}
	defer store.Close()
	counts := map[string]int{}
	for q := (plugin.ListQuery{Limit: plugin.MaxPage}); ; {
		page, err := store.List(r.Context(), q)
		if err != nil {
			r.Fatal(err)
		}
		for _, a := range page.Accounts {
			counts[strings.ToLower(a.Attributes.Text("mail"))]++
		}
		if q.After = page.Next; q.After == "" {
			return counts
		}
	}
}

// noMessageStays waits until the outbox is empty: what a dead sidecar had leased is sent by the other one.
func (r *replicas) noMessageStays() {
	r.Helper()
	db, err := sql.Open("pgx", r.state)
	if err != nil {
		r.Fatal(err)
	}
	defer db.Close()
	var n int
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err := db.QueryRowContext(r.Context(), `SELECT count(*) FROM outbox`).Scan(&n); err != nil {
			r.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	r.Errorf("%d messages are never sent", n)
}
