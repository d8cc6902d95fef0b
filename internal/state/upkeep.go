package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ClaimUnresolved hands out up to limit registrations that are persisting and whose ResolveAt has passed, and keeps them
// from other workers for a while.
func (db *DB) ClaimUnresolved(ctx context.Context, limit int) (rows []Row, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("claim unresolved registrations: %w", err)
	}
	result, err := db.stmt.claimUnresolved.QueryContext(ctx, millis(now), millis(now.Add(lease)), limit)
	if err != nil {
		return nil, fmt.Errorf("claim unresolved registrations: %w", err)
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	for result.Next() {
		row, err := scanRow(result)
		if err != nil {
			return nil, fmt.Errorf("claim unresolved registrations: %w", err)
		}
		rows = append(rows, row)
	}
	return rows, result.Err()
}

// sweepBatch bounds one delete, so that a sweep never holds the writer for long.
const sweepBatch = 200

// Sweep removes expired registrations, and counters whose time is over, in small batches. It returns how many
// registrations.
func (db *DB) Sweep(ctx context.Context) (int, error) {
	rows, err := db.sweep(ctx, db.stmt.sweepRows, func(now time.Time) []any {
		// What is idle for too long ends before this; the index is on the end.
		return []any{millis(now), sweepBatch, millis(now.Add(db.cfg.Lifetime - db.cfg.Idle))}
	})
	if err != nil {
		return rows, fmt.Errorf("sweep expired registrations: %w", err)
	}
	if _, err := db.sweep(ctx, db.stmt.budgets.sweepBudgets, func(now time.Time) []any { return []any{millis(now), sweepBatch} }); err != nil {
		return rows, fmt.Errorf("sweep budgets: %w", err)
	}
	return rows, nil
}

// sweep runs a statement until nothing is left.
func (db *DB) sweep(ctx context.Context, stmt *sql.Stmt, args func(now time.Time) []any) (total int, err error) {
	for {
		n, err := db.sweepSome(ctx, stmt, args)
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}

func (db *DB) sweepSome(ctx context.Context, stmt *sql.Stmt, args func(now time.Time) []any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args(now)...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// Budgets counts the counters that are stored, those included that count nothing any more.
func (db *DB) Budgets(ctx context.Context) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := db.stmt.budgets.countAll.QueryRowContext(ctx).Scan(&n); err != nil {
		return 0, fmt.Errorf("count budgets: %w", err)
	}
	return n, nil
}
