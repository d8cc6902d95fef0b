package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// insertTogether takes from budgets and writes a row in two statements that are sent together, which makes them one
// transaction. They stay two: the count of a client's open registrations must see what was committed while the first
// waited for its budgets. It does not wait for the disk. Where a budget is spent or the client has too many, it is
// errUnusual, and nothing is written.
func (db *DB) insertTogether(ctx context.Context, row Row, limited string, now time.Time) error {
	take := &parameterList{}
	taking := take.inOne([]string{"written AS (SELECT)"}, merged(row.Takes), now) + whereAsynchronous
	batch := &pgx.Batch{}
	batch.Queue(taking, take.values...)
	batch.Queue(`WITH inserted AS (`+insertStatement+`) SELECT 1 / CASE WHEN client = '`+tooManyOpen+`' THEN 0 ELSE 1 END FROM inserted`,
		insertValues(row, limited)...)
	err := db.sendTogether(ctx, batch)
	if takenBack(err) || pgconn.SafeToRetry(err) {
		return errUnusual
	}
	return err
}

// sendTogether sends statements in one message to the server, which runs them as one transaction.
func (db *DB) sendTogether(ctx context.Context, batch *pgx.Batch) (err error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T", driver)
		}
		return c.Conn().SendBatch(ctx, batch).Close()
	})
}
