package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// accountColumns are what scanAccount reads.
const accountColumns = `a.id, a.username, a.locked, a.reason, a.created_at`

// Get implements plugin.Persister.
func (s *Store) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	if err := id.Validate(); err != nil {
		return plugin.Account{}, err
	}
	return s.one(ctx, "get", `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, string(id))
}

// Lookup implements plugin.Persister.
func (s *Store) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	return s.one(ctx, "lookup", `SELECT `+accountColumns+` FROM identifiers i JOIN accounts a ON a.id = i.account
		WHERE i.canonical = $1 AND i.held_until IS NULL`, k.Canonical)
}

func (s *Store) one(ctx context.Context, operation, query string, args ...any) (plugin.Account, error) {
	found, err := s.accounts(ctx, query, args...)
	if err != nil {
		return plugin.Account{}, s.classify(operation, err)
	}
	if len(found) == 0 {
		return plugin.Account{}, fmt.Errorf("%s: %w", operation, plugin.ErrNotFound)
	}
	return found[0], nil
}

// accounts reads the accounts that a query finds, in its order, as of one moment.
func (s *Store) accounts(ctx context.Context, query string, args ...any) ([]plugin.Account, error) {
	tx, err := s.reads.BeginTx(ctx, &s.dialect.snapshot)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	return accountsIn(ctx, tx, query, args...)
}

func accountsIn(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]plugin.Account, error) {
	var found []plugin.Account
	err := each(ctx, tx, query, args, func(r *sql.Rows) error {
		a := plugin.Account{Attributes: plugin.Attributes{}}
		var id string
		var created int64
		if err := r.Scan(&id, &a.Username, &a.State.Locked, &a.State.Reason, &created); err != nil {
			return err
		}
		a.ID, a.CreatedAt = plugin.ID(id), second(created)
		found = append(found, a)
		return nil
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found, fill(ctx, tx, found)
}

// fill adds to accounts what stands in the other tables.
func fill(ctx context.Context, tx *sql.Tx, accounts []plugin.Account) error {
	at, ids := map[string]*plugin.Account{}, make([]any, len(accounts))
	for i := range accounts {
		ids[i] = string(accounts[i].ID)
		at[string(accounts[i].ID)] = &accounts[i]
	}
	in := " IN " + parameters(1, len(ids), len(ids))
	query := `SELECT account, 'k', attribute, 'string', value, 0 FROM identifiers WHERE held_until IS NULL AND account` + in +
		` UNION ALL SELECT account, 'a', name, type, text, position FROM attributes WHERE account` + in +
		` UNION ALL SELECT account, 'g', name, '', '', 0 FROM account_groups WHERE account` + in + ` ORDER BY 1, 2, 3, 6`
	return each(ctx, tx, query, ids, func(r *sql.Rows) error {
		var account, what, name, kind, text string
		var position int
		if err := r.Scan(&account, &what, &name, &kind, &text, &position); err != nil {
			return err
		}
		a := at[account]
		if what == "g" {
			a.Groups = append(a.Groups, name)
		} else {
			a.Attributes[name] = append(a.Attributes[name], plugin.Value{Type: plugin.ValueType(kind), Text: text})
		}
		return nil
	})
}

// each calls f for every row.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, f func(*sql.Rows) error) (err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// List implements plugin.Lister. The order is that of the ids, and a page's token is its last one.
func (s *Store) List(ctx context.Context, q plugin.ListQuery) (plugin.Page, error) {
	if err := q.Validate(); err != nil {
		return plugin.Page{}, err
	}
	if q.After != "" && !isID(q.After) {
		return plugin.Page{}, fmt.Errorf("list: a token that is none of ours: %w", plugin.ErrInvalid)
	}
	found, err := s.accounts(ctx, `SELECT `+accountColumns+` FROM accounts a WHERE a.id > $1 ORDER BY a.id LIMIT $2`, q.After, q.Limit)
	if err != nil {
		return plugin.Page{}, s.classify("list", err)
	}
	page := plugin.Page{Accounts: found}
	if len(found) == q.Limit {
		page.Next = string(found[len(found)-1].ID)
	}
	return page, nil
}

// isID tells whether newID can have made it.
func isID(s string) bool { return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == "" }

// Statuses implements plugin.StatusReader.
func (s *Store) Statuses(ctx context.Context, ids []plugin.ID) ([]plugin.Status, error) {
	if len(ids) > plugin.MaxStatuses {
		return nil, fmt.Errorf("statuses of more than %d accounts: %w", plugin.MaxStatuses, plugin.ErrInvalid)
	}
	args, statuses, at := make([]any, len(ids)), make([]plugin.Status, len(ids)), map[string]int{}
	for i, id := range ids {
		args[i], statuses[i].ID, at[string(id)] = string(id), id, i
	}
	if len(ids) == 0 {
		return statuses, nil
	}
	tx, err := s.reads.BeginTx(ctx, &s.dialect.snapshot)
	if err != nil {
		return nil, s.classify("statuses", err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	err = each(ctx, tx, `SELECT id, password <> '' AND NOT locked, password_changed_at FROM accounts WHERE id IN `+parameters(1, len(args), len(args)), args, func(r *sql.Rows) error {
		var id string
		var usable bool
		var changed int64
		if err := r.Scan(&id, &usable, &changed); err != nil {
			return err
		}
		i := at[id]
		statuses[i].Usable = usable
		if changed > 0 {
			statuses[i].PasswordChangedAt = second(changed)
		}
		return nil
	})
	return statuses, s.classify("statuses", err)
}

// second turns stored milliseconds into what the contract shows.
func second(ms int64) time.Time { return time.UnixMilli(ms).UTC().Truncate(time.Second) }
