package state

import (
	"context"
	"errors"
	"fmt"
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

// Sweep removes expired registrations, in small batches, and returns how many.
func (db *DB) Sweep(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := db.sweepSome(ctx)
		total += n
		if err != nil {
			return total, fmt.Errorf("sweep expired registrations: %w", err)
		}
		if n < sweepBatch {
			return total, nil
		}
	}
}

func (db *DB) sweepSome(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return 0, err
	}
	result, err := db.stmt.sweepRows.ExecContext(ctx, millis(now), sweepBatch)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
