package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// insertMessages stores messages that this process will send: they are leased to it from the start.
func (db *DB) insertMessages(ctx context.Context, tx *sql.Tx, messages []Message, now time.Time) error {
	for _, m := range messages {
		_, err := tx.StmtContext(ctx, db.stmt.insertMessage).ExecContext(ctx, m.ID, m.Sealed, db.cfg.Owner,
			millis(now.Add(lease)), millis(m.ExpiresAt))
		if err != nil {
			return fmt.Errorf("store a message: %w", err)
		}
	}
	return nil
}

// ClaimMessages leases up to limit messages that are due and belong to nobody any more, each to one caller only.
func (db *DB) ClaimMessages(ctx context.Context, limit int) (messages []Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	rows, err := db.stmt.claimMessages.QueryContext(ctx, db.cfg.Owner, millis(now), millis(now.Add(lease)), limit)
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m Message
		var expires int64
		if err := rows.Scan(&m.ID, &m.Sealed, &expires, &m.Tries); err != nil {
			return nil, fmt.Errorf("claim messages: %w", err)
		}
		m.ExpiresAt = fromMillis(expires)
		messages = append(messages, m)
	}
	return messages, rows.Err()
}

// RemoveMessages removes messages that were sent, or that will never be, all or none: nothing of them stays. It does
// not wait for the disk.
func (db *DB) RemoveMessages(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	list, err := json.Marshal(ids)
	if err == nil {
		_, err = db.execAsync(ctx, db.stmt.deleteMessages, string(list))
	}
	if err != nil {
		return fmt.Errorf("remove messages: %w", err)
	}
	return nil
}

// RetryMessage counts a failed try and makes the message due again after a pause, but not later than it expires. Whoever
// claims it then has it; where somebody else has it already, nothing is done.
func (db *DB) RetryMessage(ctx context.Context, id string, pause time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	now, err := db.Now(ctx)
	if err == nil {
		_, err = db.stmt.retryMessage.ExecContext(ctx, id, db.cfg.Owner, millis(now.Add(pause)))
	}
	if err != nil {
		return fmt.Errorf("postpone a message: %w", err)
	}
	return nil
}

// WaitingMessages counts the messages that are not sent yet.
func (db *DB) WaitingMessages(ctx context.Context) (int, error) {
	n, _, err := db.Backlog(ctx)
	return n, err
}

// Backlog counts the messages that are not sent yet, and returns the id that sorts first: ids begin with their time.
func (db *DB) Backlog(ctx context.Context) (n int, first string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := db.stmt.countMessages.QueryRowContext(ctx).Scan(&n, &first); err != nil {
		return 0, "", fmt.Errorf("count messages: %w", err)
	}
	return n, first, nil
}
