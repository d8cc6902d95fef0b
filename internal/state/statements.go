package state

import (
	"context"
	"database/sql"
)

// columns of a registration, in the order scanRow reads them.
const columns = `ref, locator, flow, step, phase, version, sealed_for, sealed, server, run_not_after, resolve_at,
	attempts, attempt_limit, created_at, idle_until, expires_at`

// insertStatement writes a row, with tooManyOpen for its client where that one has too many.
const insertStatement = `INSERT INTO registrations (` + columns + `, client)
	VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, CASE WHEN $15 = '' THEN '' WHEN
		(SELECT count(*) FROM registrations WHERE client = $15 AND client <> '' AND idle_until > $12 AND phase <> 'completed') < $16
		THEN $15 ELSE '` + tooManyOpen + `' END) RETURNING client`

// commitStatement writes a row's new version.
const commitStatement = `UPDATE registrations SET locator = $3, step = $4, phase = $5, version = version + 1, sealed_for = $6,
	sealed = $7, server = $8, run_not_after = $9, resolve_at = $10,
	attempts = CASE WHEN $11 THEN 0 ELSE attempts END, attempt_limit = $12,
	idle_until = CASE WHEN $13 < expires_at THEN $13 ELSE expires_at END
	WHERE ref = $1 AND version = $2 AND idle_until > $14`

// statements are prepared once: preparing on a pool of one connection inside a transaction would wait for itself.
type statements struct {
	insertRow, commitRow, completeRow, deleteRow, countAttempt                *sql.Stmt
	claimUnresolved, sweepRows                                                *sql.Stmt
	insertMessage, claimMessages, deleteMessages, retryMessage, countMessages *sql.Stmt
	load, ping, readMeta, writeMeta                                           *sql.Stmt
	budgets                                                                   budgetStatements
	all                                                                       []*sql.Stmt
}

// preparation is one statement to prepare, and on which pool.
type preparation struct {
	stmt **sql.Stmt
	db   *sql.DB
	text string
}

func (s *statements) prepare(ctx context.Context, d dialect, writer, reader *sql.DB) error {
	for _, p := range append([]preparation{
		{&s.insertRow, writer, insertStatement},
		{&s.commitRow, writer, commitStatement},
		{&s.completeRow, writer, commitStatement + d.asynchronous},
		{&s.deleteRow, writer, `DELETE FROM registrations WHERE ref = $1 AND version = $2`},
		{&s.countAttempt, writer, `UPDATE registrations SET attempts = attempts + 1
			WHERE locator = $1 AND step = $2 AND phase = 'open' AND attempts < attempt_limit AND idle_until > $3
			RETURNING ` + columns},
		{&s.load, reader, `SELECT ` + columns + ` FROM registrations WHERE locator = $1 AND idle_until > $2`},
		// What is claimed is chosen once, before the update: a plain subquery could be evaluated again for every row.
		{&s.claimUnresolved, writer, `WITH due AS MATERIALIZED (SELECT ref FROM registrations
				WHERE phase = 'persisting' AND resolve_at <= $1 AND idle_until > $1 ORDER BY resolve_at LIMIT $3` + d.skipLocked + `)
			UPDATE registrations SET resolve_at = $2 WHERE ref IN (SELECT ref FROM due) RETURNING ` + columns},
		{&s.sweepRows, writer, `WITH past AS MATERIALIZED (SELECT ref FROM registrations
				WHERE expires_at <= $3 AND idle_until <= $1 ORDER BY expires_at LIMIT $2` + d.skipLocked + `)
			DELETE FROM registrations WHERE ref IN (SELECT ref FROM past)`},

		{&s.insertMessage, writer, `INSERT INTO outbox (id, sealed, owner, due_at, expires_at, tries) VALUES ($1, $2, $3, $4, $5, 0)`},
		{&s.claimMessages, writer, `WITH due AS MATERIALIZED (SELECT id FROM outbox WHERE due_at <= $2 ORDER BY due_at LIMIT $4` + d.skipLocked + `)
			UPDATE outbox SET owner = $1, due_at = $3 WHERE id IN (SELECT id FROM due) RETURNING id, sealed, expires_at, tries`},
		{&s.deleteMessages, writer, `DELETE FROM outbox WHERE id IN (SELECT value FROM ` + d.elements + `($1))` + d.asynchronous},
		{&s.retryMessage, writer, `UPDATE outbox SET owner = '', tries = tries + 1,
			due_at = CASE WHEN $3 < expires_at THEN $3 ELSE expires_at END
			WHERE id = $1 AND owner = $2`},
		{&s.countMessages, reader, `SELECT count(*), coalesce(min(id), '') FROM outbox`},

		{&s.ping, writer, `INSERT INTO meta (name, value) VALUES ('ping', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`},
		{&s.readMeta, reader, `SELECT value FROM meta WHERE name = $1`},
		{&s.writeMeta, writer, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`},
	}, s.budgets.list(d, writer)...) {
		stmt, err := p.db.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.stmt = stmt
		s.all = append(s.all, stmt)
	}
	return nil
}

func (s *statements) close() {
	for _, stmt := range s.all {
		_ = stmt.Close()
	}
}
