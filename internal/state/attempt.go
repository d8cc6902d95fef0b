package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/failpoint"
)

// Judge sees a row whose guess is being counted, and says which budgets the guess takes from. It may be asked more than
// once, and must not use the database.
type Judge func(Row, time.Time) ([]Take, error)

// CountAttempt counts one guess at a step and returns the row, all in one transaction that is committed, without waiting
// for the disk, before anybody compares anything. judge may be nil. ErrGone, ErrWrongStep, ErrExhausted, a *SpentError,
// an error of judge: nothing was counted, and nothing may be compared.
func (db *DB) CountAttempt(ctx context.Context, locator []byte, step string, judge Judge) (Row, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if judge == nil {
		judge = func(Row, time.Time) ([]Take, error) { return nil, nil }
	}
	now, err := db.Now(ctx)
	if err != nil {
		return Row{}, fmt.Errorf("count an attempt: %w", err)
	}
	failpoint.Hit("state.count.before")
	row, err := db.countShortly(ctx, locator, step, judge, now)
	if errors.Is(err, errUnusual) {
		row, err = db.countAtLength(ctx, locator, step, judge, now)
	}
	failpoint.Hit("state.count.after")
	if err == nil {
		return row, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return Row{}, fmt.Errorf("count an attempt: %w", err)
	}
	if row, err = db.Load(ctx, locator); err != nil {
		return Row{}, err
	}
	if row.Step != step || row.Phase != PhaseOpen {
		return row, ErrWrongStep
	}
	return row, ErrExhausted
}

// countShortly looks at the row first and counts with one statement, if the row is still the same then. Otherwise it is
// errUnusual, and nothing is counted.
func (db *DB) countShortly(ctx context.Context, locator []byte, step string, judge Judge, now time.Time) (Row, error) {
	if !db.dialect.writesInOne {
		return Row{}, errUnusual
	}
	seen, err := scanRow(db.stmt.load.QueryRowContext(ctx, locator, millis(now)))
	if err != nil {
		return Row{}, err
	}
	if seen.Step != step || seen.Phase != PhaseOpen || seen.Attempts >= seen.AttemptLimit {
		return Row{}, errUnusual
	}
	row := seen
	row.Attempts++
	takes, err := judge(row, now)
	if err != nil {
		return Row{}, err
	}
	if len(takes) > mostTakes {
		return Row{}, errUnusual
	}
	return row, db.countInOne(ctx, seen, step, merged(takes), now)
}

// countAtLength counts, asks the judge and takes from the budgets, one after the other in one transaction.
func (db *DB) countAtLength(ctx context.Context, locator []byte, step string, judge Judge, now time.Time) (row Row, err error) {
	err = db.transactAsync(ctx, func(tx *sql.Tx) error {
		if row, err = scanRow(tx.StmtContext(ctx, db.stmt.countAttempt).QueryRowContext(ctx, locator, step, millis(now))); err != nil {
			return err
		}
		takes, err := judge(row, now)
		if err != nil {
			return err
		}
		_, err = db.take(ctx, tx, takes, now)
		return err
	})
	return row, err
}
