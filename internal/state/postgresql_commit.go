package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// commitInOne writes a row, what it takes from budgets and its messages in a single statement: to PostgreSQL, each
// statement is a message there and back. Where a budget is spent, the statement fails as a whole, with errUnusual.
func (db *DB) commitInOne(ctx context.Context, row Row, takes []Take, messages []Message, idle, now time.Time) error {
	p := &parameterList{}
	update := p.fill(`UPDATE registrations SET locator = ?, step = ?, phase = ?, version = version + 1, sealed_for = ?,
		sealed = ?, server = ?, run_not_after = ?, resolve_at = ?,
		attempts = CASE WHEN ?::boolean THEN 0 ELSE attempts END, attempt_limit = ?, idle_until = LEAST(?, expires_at)
		WHERE ref = ? AND version = ? AND idle_until > ? RETURNING ref`,
		row.Locator, row.Step, string(row.Phase), string(row.SealedFor), row.Sealed, row.Server, millis(row.RunNotAfter), millis(row.ResolveAt),
		row.ResetAttempts, row.AttemptLimit, millis(idle), row.Ref, row.Version, millis(now))
	parts := []string{"written AS (" + update + ")"}
	for i, m := range messages {
		parts = append(parts, fmt.Sprintf("message%d AS (", i)+p.fill(`INSERT INTO outbox (id, sealed, owner, due_at, expires_at, tries)
			SELECT ?, ?::bytea, ?, ?::bigint, ?::bigint, 0 FROM written`, m.ID, m.Sealed, db.cfg.Owner, millis(now.Add(lease)), millis(m.ExpiresAt))+")")
	}
	written, err := db.writeInOne(ctx, p, p.inOne(parts, takes, now))
	if err == nil && written != 1 {
		return ErrStale
	}
	return err
}

// countInOne counts a guess as it was judged, with what it takes from budgets, in a single statement, which does not wait
// for the disk. It is errUnusual, and nothing is counted, where the row is no longer as it was seen, or must not be
// guessed at, or a budget is spent.
func (db *DB) countInOne(ctx context.Context, seen Row, step string, takes []Take, now time.Time) error {
	p := &parameterList{}
	count := p.fill(`UPDATE registrations SET attempts = attempts + 1 WHERE ref = ? AND version = ? AND attempts = ? AND step = ?
		AND phase = 'open' AND attempts < attempt_limit AND idle_until > ? RETURNING ref`, seen.Ref, seen.Version, seen.Attempts, step, millis(now))
	written, err := db.writeInOne(ctx, p, p.inOne([]string{"written AS (" + count + ")"}, takes, now)+whereAsynchronous)
	if err == nil && written != 1 {
		return errUnusual
	}
	return err
}

// writeInOne runs a statement of inOne. It returns how many rows its part named written has written. Where a budget is
// spent, the statement fails as a whole, with errUnusual.
func (db *DB) writeInOne(ctx context.Context, p *parameterList, statement string) (written int, err error) {
	var one int
	err = db.writer.QueryRowContext(ctx, statement, p.values...).Scan(&written, &one)
	if takenBack(err) {
		return 0, errUnusual
	}
	return written, err
}

// inOne puts a statement together of parts, of which the one named written writes a row, and of what takes from budgets
// if it does.
func (p *parameterList) inOne(parts []string, takes []Take, now time.Time) string {
	spent := "FALSE"
	if len(takes) > 0 {
		parts = append(parts, p.budgets(takes, now)...)
		spent = "EXISTS (SELECT FROM taken JOIN wanted USING (key) WHERE n > 0 AND taken > most OR n = 0 AND taken >= most)"
	}
	// Dividing by nothing is how a statement takes itself back.
	return "WITH " + strings.Join(parts, ", ") + " SELECT (SELECT count(*) FROM written), 1 / CASE WHEN " + spent + " THEN 0 ELSE 1 END"
}

// takenBack tells that a statement divided by nothing.
func takenBack(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == pgerrcode.DivisionByZero
}

// parameterList numbers the parameters of a statement that is put together of parts.
type parameterList struct{ values []any }

// fill puts the next parameters in place of question marks.
func (p *parameterList) fill(text string, values ...any) string {
	var b strings.Builder
	for _, v := range values {
		before, after, _ := strings.Cut(text, "?")
		p.values = append(p.values, v)
		fmt.Fprintf(&b, "%s$%d", before, len(p.values))
		text = after
	}
	return b.String() + text
}

// budgets takes from budgets as takeStatement does, if the row was written. The list is in the order of the keys.
func (p *parameterList) budgets(takes []Take, now time.Time) []string {
	var wanted strings.Builder
	for i, t := range takes {
		if i > 0 {
			wanted.WriteString(", ")
		}
		wanted.WriteString(p.fill("(?::bytea, ?::bigint, ?::bigint, ?::bigint)", t.Key, int64(t.Count), t.endsAt(now), int64(t.Limit)))
	}
	over := p.fill("budgets.ends_at <= ?", millis(now))
	return []string{
		"wanted (key, n, ends_at, most) AS (VALUES " + wanted.String() + ")",
		`taken AS (INSERT INTO budgets (key, taken, ends_at) SELECT key, n, ends_at FROM wanted WHERE EXISTS (SELECT FROM written)
			ON CONFLICT (key) DO UPDATE SET
				taken = CASE WHEN ` + over + ` THEN excluded.taken ELSE GREATEST(budgets.taken + excluded.taken, 0) END,
				ends_at = CASE WHEN ` + over + ` THEN excluded.ends_at ELSE budgets.ends_at END
			RETURNING key, taken)`,
	}
}
