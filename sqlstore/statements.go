package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
)

// pool runs statements, each parsed once and not for every call. A driver that remembers statements by itself needs
// no help.
type pool struct {
	*sql.DB
	remembers bool // the driver does it

	mu     sync.Mutex
	known  map[string]*sql.Stmt
	wanted map[string]bool
}

// mostStatements bounds what is remembered: the texts of this package, with the numbers of rows that accounts have.
const mostStatements = 100

func newPool(db *sql.DB, remembers bool) *pool {
	return &pool{DB: db, remembers: remembers, known: map[string]*sql.Stmt{}, wanted: map[string]bool{}}
}

// find returns a statement that is prepared. One that is not is noted for prepare.
func (p *pool) find(text string) *sql.Stmt {
	if p.remembers {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stmt := p.known[text]
	if stmt == nil && len(p.known)+len(p.wanted) < mostStatements {
		p.wanted[text] = true
	}
	return stmt
}

// prepare prepares what was asked for in vain. Never inside a transaction: it would wait for a connection, which may be
// the transaction's own; and not under the lock, which whoever has the connection may need. What cannot be prepared now
// is asked for again.
func (p *pool) prepare(ctx context.Context) {
	p.mu.Lock()
	texts := slices.Collect(maps.Keys(p.wanted))
	clear(p.wanted)
	p.mu.Unlock()
	for _, text := range texts {
		if stmt, err := p.PrepareContext(ctx, text); err == nil {
			p.keep(text, stmt)
		}
	}
}

// keep remembers a statement, if nobody was faster.
func (p *pool) keep(text string, stmt *sql.Stmt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[text] != nil {
		_ = stmt.Close()
		return
	}
	p.known[text] = stmt
}

// statement returns a statement ready to run outside a transaction, or nil.
func (p *pool) statement(ctx context.Context, text string) *sql.Stmt {
	if p.find(text) == nil {
		p.prepare(ctx)
	}
	return p.find(text)
}

// QueryContext is that of sql.DB.
func (p *pool) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if stmt := p.statement(ctx, text); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return p.DB.QueryContext(ctx, text, args...)
}

// QueryRowContext is that of sql.DB.
func (p *pool) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	if stmt := p.statement(ctx, text); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return p.DB.QueryRowContext(ctx, text, args...)
}

// ExecContext is that of sql.DB.
func (p *pool) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if stmt := p.statement(ctx, text); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return p.DB.ExecContext(ctx, text, args...)
}

// transaction runs statements of its pool in one transaction. One that is new is parsed this time, and prepared when the
// transaction has ended.
type transaction struct {
	*sql.Tx
	pool *pool
}

func (p *pool) begin(ctx context.Context) (*transaction, error) {
	if !p.remembers {
		p.prepare(ctx)
	}
	tx, err := p.BeginTx(ctx, nil)
	return &transaction{tx, p}, err
}

// QueryContext is that of sql.Tx.
func (t *transaction) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if stmt := t.pool.find(text); stmt != nil {
		return t.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, text, args...)
}

// QueryRowContext is that of sql.Tx.
func (t *transaction) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	if stmt := t.pool.find(text); stmt != nil {
		return t.StmtContext(ctx, stmt).QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, text, args...)
}

// ExecContext is that of sql.Tx.
func (t *transaction) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if stmt := t.pool.find(text); stmt != nil {
		return t.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, text, args...)
}
