package state

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tally is a counter whose rule is its owner's business.
type Tally struct {
	// Key is a keyed hash of what is counted.
	Key []byte
	// Taken is the count, and EndsAt when the counter is forgotten; both are zero for one that does not exist.
	Taken  int
	EndsAt time.Time
}

// Tally hands counters to change, in the order of keys, and stores what it leaves of them. Nobody else changes them
// meanwhile, in any process. With an error of change nothing is stored, and the error comes back. change must not use
// the database.
func (db *DB) Tally(ctx context.Context, keys [][]byte, change func(now time.Time, t []Tally) error) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return fmt.Errorf("change counters: %w", err)
	}
	return db.transact(ctx, func(tx *sql.Tx) error {
		takes := make([]Take, len(keys))
		for i, k := range keys {
			takes[i] = Take{Key: k}
		}
		found, err := db.add(ctx, tx, merged(takes), now) // taking nothing locks them
		if err != nil {
			return fmt.Errorf("change counters: %w", err)
		}
		tallies := make([]Tally, len(keys))
		for i, k := range keys {
			tallies[i].Key = k
			if c := found[string(k)]; c.endsAt.After(now) {
				tallies[i].Taken, tallies[i].EndsAt = int(c.taken), c.endsAt
			}
		}
		before := slices.Clone(tallies)
		if err := change(now, tallies); err != nil {
			return err
		}
		var changed []Tally
		for i, t := range tallies {
			if t.Taken != before[i].Taken || !t.EndsAt.Equal(before[i].EndsAt) {
				changed = append(changed, t)
			}
		}
		return db.set(ctx, tx, changed)
	})
}

// set stores counters as they are.
func (db *DB) set(ctx context.Context, tx *sql.Tx, tallies []Tally) error {
	slices.SortFunc(tallies, func(a, b Tally) int { return bytes.Compare(a.Key, b.Key) })
	for some := range slices.Chunk(tallies, mostTakes) {
		var args []any
		for _, t := range some {
			args = append(args, t.Key, int64(t.Taken), millis(t.EndsAt))
		}
		if _, err := tx.StmtContext(ctx, db.stmt.budgets.sets[len(some)]).ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("store counters: %w", err)
		}
	}
	return nil
}

func setStatement(rows int) string {
	var values strings.Builder
	for i := range rows {
		if i > 0 {
			values.WriteString(", ")
		}
		n := 1 + 3*i
		values.WriteString("($" + strconv.Itoa(n) + ", $" + strconv.Itoa(n+1) + ", $" + strconv.Itoa(n+2) + ")")
	}
	return `INSERT INTO budgets (key, taken, ends_at) VALUES ` + values.String() + `
		ON CONFLICT (key) DO UPDATE SET taken = excluded.taken, ends_at = excluded.ends_at`
}
