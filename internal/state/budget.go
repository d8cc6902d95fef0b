package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Take is what a write takes from one budget. All budgets of a write are taken together with it, or none is.
type Take struct {
	// Key names the budget and whom it is for, as a keyed hash: nobody can read whom.
	Key []byte
	// Limit is how much there is in a Window, which begins with the first take and ends whatever is taken meanwhile.
	Limit  int
	Window time.Duration
	// Count is how much to take. None only asks whether anything is left; below zero it is given back.
	Count int
	// Silent: when nothing is left, the write goes on without its messages, instead of being refused.
	Silent bool
}

// SpentError refuses a write because nothing is left of a budget.
type SpentError struct {
	// RetryAfter is how long until there is something left again.
	RetryAfter time.Duration
}

func (e *SpentError) Error() string { return "a budget is spent for " + e.RetryAfter.String() }

// mostTakes is how many budgets one statement takes from; more take another one.
const mostTakes = 12

// takeStatement adds to counters, or begins them anew where their window is over, and tells what they are now. Rows are
// locked in the order of the list.
func takeStatement(rows int) string {
	var values strings.Builder
	for i := range rows {
		if i > 0 {
			values.WriteString(", ")
		}
		n := 2 + 3*i
		values.WriteString("($" + strconv.Itoa(n) + ", $" + strconv.Itoa(n+1) + ", $" + strconv.Itoa(n+2) + ")")
	}
	return `INSERT INTO budgets (key, taken, ends_at) VALUES ` + values.String() + `
		ON CONFLICT (key) DO UPDATE SET
			taken = CASE WHEN budgets.ends_at <= $1 THEN excluded.taken
				WHEN budgets.taken + excluded.taken < 0 THEN 0 ELSE budgets.taken + excluded.taken END,
			ends_at = CASE WHEN budgets.ends_at <= $1 THEN excluded.ends_at ELSE budgets.ends_at END
		RETURNING key, taken, ends_at`
}

// budgetStatements are prepared once, like all others; takes has one for each number of rows.
type budgetStatements struct {
	takes, sets                                            [mostTakes + 1]*sql.Stmt
	sweepBudgets, silence, firstFree, uncountOne, countAll *sql.Stmt
}

func (s *budgetStatements) list(d dialect, writer *sql.DB) []preparation {
	all := []preparation{
		{&s.sweepBudgets, writer, `WITH past AS MATERIALIZED (SELECT key FROM budgets WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2` + d.skipLocked + `)
			DELETE FROM budgets WHERE key IN (SELECT key FROM past)`},
		{&s.silence, writer, `UPDATE registrations SET sealed = $2 WHERE ref = $1`},
		{&s.firstFree, writer, `SELECT COALESCE(MIN(idle_until), 0) FROM registrations
			WHERE client = $1 AND client <> '' AND idle_until > $2 AND phase <> 'completed'`},
		{&s.uncountOne, writer, `UPDATE registrations SET attempts = attempts - 1 WHERE ref = $1 AND step = $2 AND attempts > 0`},
		{&s.countAll, writer, `SELECT count(*) FROM budgets`},
	}
	for n := 1; n <= mostTakes; n++ {
		all = append(all, preparation{&s.takes[n], writer, takeStatement(n)}, preparation{&s.sets[n], writer, setStatement(n)})
	}
	return all
}

// counter is a row of budgets.
type counter struct {
	taken  int64
	endsAt time.Time
}

// take takes from all budgets, in the order of their keys, so that two writers never wait for each other in turns. It
// is a *SpentError where nothing is left of one that is not silent, and the transaction must then be rolled back.
// silenced tells that nothing is left of a silent one; those have been given back.
func (db *DB) take(ctx context.Context, tx *sql.Tx, takes []Take, now time.Time) (silenced bool, err error) {
	if len(takes) == 0 {
		return false, nil
	}
	takes = merged(takes)
	counters, err := db.add(ctx, tx, takes, now)
	if err != nil {
		return false, err
	}
	var wait time.Duration
	spent := false
	for _, t := range takes {
		c := counters[string(t.Key)]
		switch {
		case !t.spent(c.taken):
		case t.Silent:
			silenced = true
		default:
			spent, wait = true, max(wait, c.endsAt.Sub(now))
		}
	}
	if spent {
		return false, &SpentError{RetryAfter: wait}
	}
	if !silenced {
		return false, nil
	}
	var back []Take
	for _, t := range takes {
		if t.Silent && t.Count > 0 {
			t.Count = -t.Count
			back = append(back, t)
		}
	}
	_, err = db.add(ctx, tx, back, now)
	return true, err
}

// spent tells whether a counter, after the take, is above what there was to take.
func (t Take) spent(taken int64) bool {
	return t.Count > 0 && taken > int64(t.Limit) || t.Count == 0 && taken >= int64(t.Limit)
}

// endsAt is when a window ends that begins with this take. One that begins with something given back has ended already:
// it must not add to a budget.
func (t Take) endsAt(now time.Time) int64 {
	if t.Count < 0 {
		return 0
	}
	return millis(now.Add(t.Window))
}

// add changes the counters and returns them.
func (db *DB) add(ctx context.Context, tx *sql.Tx, takes []Take, now time.Time) (map[string]counter, error) {
	counters := make(map[string]counter, len(takes))
	for some := range slices.Chunk(takes, mostTakes) {
		args := []any{millis(now)}
		for _, t := range some {
			args = append(args, t.Key, int64(t.Count), t.endsAt(now))
		}
		if err := db.counters(ctx, tx.StmtContext(ctx, db.stmt.budgets.takes[len(some)]), args, counters); err != nil {
			return nil, fmt.Errorf("take from budgets: %w", err)
		}
	}
	return counters, nil
}

// counters runs a statement and reads the counters that it returns.
func (db *DB) counters(ctx context.Context, stmt *sql.Stmt, args []any, into map[string]counter) (err error) {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key []byte
		var taken, ends int64
		if err := rows.Scan(&key, &taken, &ends); err != nil {
			return err
		}
		into[string(key)] = counter{taken, fromMillis(ends)}
	}
	return rows.Err()
}

// merged returns the takes in the order of their keys, each key once.
func merged(takes []Take) []Take {
	takes = slices.Clone(takes)
	slices.SortStableFunc(takes, func(a, b Take) int { return bytes.Compare(a.Key, b.Key) })
	var all []Take
	for _, t := range takes {
		if last := len(all) - 1; last >= 0 && bytes.Equal(all[last].Key, t.Key) {
			all[last].Count += t.Count
			continue
		}
		all = append(all, t)
	}
	return all
}

// openSlot is the budget whose row makes those who begin registrations for one client come one after the other, so that
// their count of open ones is exact. It has no limit of its own.
func (db *DB) openSlot(row Row) Take {
	return Take{Key: []byte("open/" + row.Client), Limit: int(^uint(0) >> 1), Window: db.cfg.Lifetime, Count: 1}
}

// tooMany is the refusal of a client that has as many open registrations as it may.
func (db *DB) tooMany(ctx context.Context, tx *sql.Tx, client string, now time.Time) error {
	var first int64
	if err := tx.StmtContext(ctx, db.stmt.budgets.firstFree).QueryRowContext(ctx, client, millis(now)).Scan(&first); err != nil {
		return err
	}
	return &SpentError{RetryAfter: max(fromMillis(first).Sub(now), time.Second)}
}

// Uncount takes an attempt back that was counted and could not be judged, and gives back what it took.
func (db *DB) Uncount(ctx context.Context, row Row, takes ...Take) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return fmt.Errorf("take an attempt back: %w", err)
	}
	takes = slices.Clone(takes)
	for i := range takes {
		takes[i].Count = -takes[i].Count
	}
	err = db.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.StmtContext(ctx, db.stmt.budgets.uncountOne).ExecContext(ctx, row.Ref, row.Step); err != nil {
			return err
		}
		_, err := db.take(ctx, tx, takes, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("take an attempt back: %w", err)
	}
	return nil
}
