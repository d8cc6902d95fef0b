package state_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/testenv"
)

// ahead is how far the database server's clock is ahead of this machine's in these tests; for the test's replica that
// is the same as being so far behind.
const ahead = 7 * time.Minute

// skewed returns the URL of a database whose clock is ahead: connections by this URL find another clock_timestamp first.
func skewed(t *testing.T) string {
	t.Helper()
	dsn := testenv.PostgreSQLDatabase(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`CREATE SCHEMA skewed`,
		`CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.clock_timestamp() + interval '7 minutes' $$`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return dsn + "&search_path=skewed,pg_catalog,public"
}

func TestAReplicaWhoseClockIsMinutesOffGoesByTheServers(t *testing.T) {
	db := replica(t, skewed(t))
	now, err := db.Now(t.Context())
	if off := time.Until(now); err != nil || off < ahead-time.Second || off > ahead+time.Second {
		t.Fatalf("Now is %v ahead (%v), want %v", off, err, ahead)
	}
	if off := db.Clock().Sub(now); off < 0 || off > time.Second {
		t.Errorf("Clock is %v after Now", off)
	}
	row := insert(t, db)
	if left := row.ExpiresAt.Sub(now); left < state.DefaultLifetime-time.Second || left > state.DefaultLifetime+time.Second {
		t.Errorf("a new row lives %v", left)
	}
	if _, err := db.Load(context.Background(), row.Locator); err != nil {
		t.Errorf("it cannot be found: %v", err)
	}
	// A lease that another replica took by the server's clock still holds, though here it seems to be long over or far off.
	row.Step = "next"
	if _, err := db.Commit(t.Context(), row, state.Message{ID: "m", Sealed: []byte("m"), ExpiresAt: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if got, err := db.ClaimMessages(t.Context(), 1); err != nil || len(got) != 0 {
		t.Errorf("a message that is being sent was handed out: %v, %v", got, err)
	}
}

func TestAPostgreSQLThatDoesNotAnswerIsAnErrorInTime(t *testing.T) {
	t.Parallel()
	dsn := testenv.PostgreSQLDatabase(t)
	db := replica(t, dsn)
	row := insert(t, db)
	other, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE registrations IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for name, call := range map[string]func() error{
		"Load":   func() error { _, err := db.Load(context.Background(), row.Locator); return err },
		"Commit": func() error { _, err := db.Commit(context.Background(), row); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s succeeds on a table that is locked", name)
		}
	}
	if took := time.Since(began); took > 11*time.Second {
		t.Errorf("two calls take %v", took)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got, err := db.Load(t.Context(), row.Locator); err != nil || got.Version != row.Version {
		t.Errorf("afterwards: version %d, %v", got.Version, err)
	}
}
