package testenv_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// The most that one complete registration may cost: start, data, code, password, the mail and the budgets, in both
// databases together. BEGIN and COMMIT are not counted as statements.
const (
	mostStatements = 20
	mostCommits    = 9
)

// background marks the statements that go on without anybody: polls for orphans, sweeps, the clock, readiness.
var background = []string{"due AS MATERIALIZED", "past AS MATERIALIZED", "extract(epoch FROM clock_timestamp())", "DELETE FROM identifiers WHERE canonical IN", "DELETE FROM attempts WHERE attempt IN", "'ping'", "_version"}

// TestARegistrationCostsFewStatements counts what the database server has seen of people who register one after the
// other.
func TestARegistrationCostsFewStatements(t *testing.T) {
	t.Parallel()
	const people = 10
	server := testenv.StartPostgreSQL(t, false)
	state := server.Database(t)
	s := testenv.Start(t, cheapHash, sharedSecret, "NARTHEX_STATE_DSN="+state, "NARTHEX_SQL_DSN="+server.Database(t), "NARTHEX_TRUSTED_PROXIES=127.0.0.1")
	m := meter{T: t, db: connect(t, state)}
	m.exec(`CREATE EXTENSION pg_stat_statements`)
	m.registers(s, people) // connections are made and statements prepared
	m.settle()
	m.exec(`SELECT pg_stat_statements_reset()`)
	before := m.transactions()
	for i := range people {
		m.registers(s, i)
	}
	m.settle()
	commits := float64(m.transactions()-before) / people
	statements, list := m.statements(people)
	t.Logf("%.1f statements, %.1f writing commits\n%s", statements, commits, list)
	if statements > mostStatements {
		t.Errorf("a registration makes %.1f statements, more than %d", statements, mostStatements)
	}
	if commits > mostCommits {
		t.Errorf("a registration makes %.1f writing commits, more than %d", commits, mostCommits)
	}
	if statements < 5 || commits < 5 {
		t.Error("that is too little to be true")
	}
}

func connect(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// meter asks a server what it has done.
type meter struct {
	*testing.T
	db *sql.DB
}

func (m meter) exec(text string) {
	m.Helper()
	if _, err := m.db.ExecContext(m.Context(), text); err != nil {
		m.Fatalf("%s: %v", text, err)
	}
}

func (m meter) registers(s *testenv.Sidecar, n int) {
	m.Helper()
	p := testenv.Person{Email: fmt.Sprintf("person%d@example.org", n), GivenName: "Ada", FamilyName: "Lovelace", Password: "the analytical engine weaves"}
	c := testenv.NewClient(s.URL)
	c.HTTP.Transport = forwarded(fmt.Sprintf("203.0.%d.7", n))
	if _, err := c.Register(p, s.Code); err != nil {
		m.Fatal(err)
	}
}

// forwarded is what a proxy does for a client of this address: budgets per client count then, too.
type forwarded string

// RoundTrip implements http.RoundTripper.
func (address forwarded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(address))
	return http.DefaultTransport.RoundTrip(r)
}

// settle waits until all mails are sent and struck off.
func (m meter) settle() {
	m.Helper()
	for n := 1; n > 0; time.Sleep(20 * time.Millisecond) {
		if err := m.db.QueryRowContext(m.Context(), `SELECT count(*) FROM outbox`).Scan(&n); err != nil {
			m.Fatal(err)
		}
	}
}

// transactions returns how many transactions have written so far: each takes a number, and reading takes none.
func (m meter) transactions() (n int64) {
	m.Helper()
	if err := m.db.QueryRowContext(m.Context(), `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).Scan(&n); err != nil {
		m.Fatal(err)
	}
	return n
}

// statements returns how many statements each of some people has cost, and which.
func (m meter) statements(people int) (float64, string) {
	m.Helper()
	rows, err := m.db.QueryContext(m.Context(), `SELECT query, calls FROM pg_stat_statements ORDER BY calls DESC, query`)
	if err != nil {
		m.Fatal(err)
	}
	defer rows.Close()
	var total int
	var list strings.Builder
	for rows.Next() {
		var query string
		var calls int
		if err := rows.Scan(&query, &calls); err != nil {
			m.Fatal(err)
		}
		if counts(query) {
			total += calls
			fmt.Fprintf(&list, "%6.1f  %s\n", float64(calls)/float64(people), strings.Join(strings.Fields(query), " "))
		}
	}
	if err := rows.Err(); err != nil {
		m.Fatal(err)
	}
	return float64(total) / float64(people), list.String()
}

// counts tells whether a statement is a registration's: none of the brackets of a transaction, of what goes on without
// anybody, or of this test's own.
func counts(query string) bool {
	first, _, _ := strings.Cut(strings.ToLower(query), " ")
	switch first {
	case "begin", "commit", "rollback", "set", "show", "deallocate":
		return false
	}
	for _, b := range append([]string{"pg_stat_statements", "pg_snapshot", "count(*) FROM outbox"}, background...) {
		if strings.Contains(query, b) {
			return false
		}
	}
	return true
}
