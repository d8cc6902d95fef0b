package flow_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/state"
)

// onlooker looks into the state database from outside.
type onlooker struct {
	*world
	db *sql.DB
}

func (w *world) lookAtRows(t *testing.T) onlooker {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "state.db"))
	w.must(err)
	t.Cleanup(func() { _ = db.Close() })
	return onlooker{w, db}
}

// count counts rows; what is where a condition stands after the table.
func (s onlooker) count(what string, args ...any) (n int) {
	s.Helper()
	s.must(s.db.QueryRow("SELECT count(*) FROM "+what, args...).Scan(&n))
	return n
}

// size is that of the database, in bytes, with pages that are free again.
func (s onlooker) size() (n int64) {
	s.Helper()
	s.must(s.db.QueryRow("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&n))
	return n
}

// tidy does what the process does in the background: it sends the mails, and sweeps.
func (s onlooker) tidy() {
	s.Helper()
	var ids []string
	rows, err := s.db.Query("SELECT id FROM outbox")
	s.must(err)
	defer rows.Close()
	for rows.Next() {
		var id string
		s.must(rows.Scan(&id))
		ids = append(ids, id)
	}
	s.must(rows.Err())
	s.must(s.rows.RemoveMessages(context.Background(), ids))
	s.must(s.sweep())
}

// flooder is one of 400 clients, in networks that have nothing in common.
func flooder(n int) string {
	if n %= 400; n%2 == 0 {
		return fmt.Sprintf("%d.%d.0.7", 11+n/2%100, n/200)
	}
	return fmt.Sprintf("2001:%x::7", 0x1000+n)
}

func TestAFloodFromHundredsOfNetworksLeavesOnlyWhatIsAlive(t *testing.T) {
	w := newWorld(t, "", limited)
	s := w.lookAtRows(t)
	var begun []time.Time
	attempts, refused, mostRows, early := 0, 0, 0, int64(0)
	attack := func(client string) {
		attempts++
		w.from(client)
		r, err := w.Start(w.ctx(), flow.StartRequest{})
		if err != nil {
			w.problem(err, flow.CodeRateLimited)
			refused++
			return
		}
		begun = append(begun, w.clock.Now())
		if attempts%4 == 0 { // the others are left as they are
			_, _ = w.Answer(w.ctx(), r.Token, "about-you", answerOf(aboutYou(fmt.Sprintf("victim%d@example.org", attempts))))
		}
	}
	for minute := 0; minute < 24*60; minute += 10 {
		for n := range 16 {
			attack(flooder(7 * (2*minute + n)))
		}
		for range 2 { // this one has soon used up what it has
			attack("198.51.100.7")
		}
		w.clock.advance(10 * time.Minute)
		s.tidy()
		now := w.clock.Now()
		for len(begun) > 0 && !begun[0].After(now.Add(-state.DefaultIdle)) {
			begun = begun[1:]
		}
		rows := s.count("registrations")
		if dead := s.count("budgets WHERE ends_at <= ?", now.UnixMilli()); rows > len(begun) || dead > 0 {
			t.Fatalf("after %d minutes there are %d registrations, of which %d are alive, and %d dead counters", minute, rows, len(begun), dead)
		}
		if mostRows = max(mostRows, rows); minute < 6*60 {
			early = s.size()
		}
	}
	if mostRows < 30 || refused < 150 {
		t.Errorf("this is no flood: at most %d are alive, and %d of %d were refused", mostRows, refused, attempts)
	}
	if grown := s.size() - early; grown > 256<<10 {
		t.Errorf("from the sixth hour to the last one the database has grown by %d bytes to %d", grown, s.size())
	}
	w.clock.advance(24 * time.Hour)
	s.tidy()
	if n := s.count("registrations") + s.count("budgets") + s.count("outbox"); n > 0 {
		t.Errorf("%d rows stay for ever", n)
	}
}
