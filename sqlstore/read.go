package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// accountColumns are what the account of whole has.
const accountColumns = `a.id, a.username, a.locked, a.reason, a.created_at`

// Get implements plugin.Persister.
func (s *Store) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	if err := id.Validate(); err != nil {
		return plugin.Account{}, err
	}
	return s.one(ctx, "get", `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, string(id))
}

// Lookup implements plugin.Persister. Registrations ask for names that nobody has: those cost one look at the index.
func (s *Store) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	var held int
	if err := s.reads.QueryRowContext(ctx, `SELECT 1 FROM identifiers WHERE canonical = $1 AND held_until IS NULL`, k.Canonical).Scan(&held); err != nil {
		return plugin.Account{}, s.classify("lookup", err)
	}
	return s.one(ctx, "lookup", `SELECT `+accountColumns+` FROM identifiers i JOIN accounts a ON a.id = i.account
		WHERE i.canonical = $1 AND i.held_until IS NULL`, k.Canonical)
}

func (s *Store) one(ctx context.Context, operation, query string, args ...any) (plugin.Account, error) {
	found, err := accounts(ctx, s.reads, query, args...)
	if err != nil {
		return plugin.Account{}, s.classify(operation, err)
	}
	if len(found) == 0 {
		return plugin.Account{}, fmt.Errorf("%s: %w", operation, plugin.ErrNotFound)
	}
	return found[0], nil
}

// reader is a pool or a transaction.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// whole reads the accounts that a query finds, and everything that belongs to them, in one statement, which sees one
// moment. An account's own row comes before those of its keys, attributes and groups. SQLite takes a CROSS JOIN in the
// order in which it is written, and so never walks through all keys.
const whole = `WITH found (id, username, locked, reason, created_at) AS MATERIALIZED (%s)
	SELECT id, '', username, '', reason, created_at, locked FROM found
	UNION ALL SELECT account, 'k', attribute, 'string', value, 0, false FROM found CROSS JOIN identifiers WHERE account = id AND held_until IS NULL
	UNION ALL SELECT account, 'a', name, type, text, position, false FROM found CROSS JOIN attributes WHERE account = id
	UNION ALL SELECT account, 'g', name, '', '', 0, false FROM found CROSS JOIN account_groups WHERE account = id
	ORDER BY 1, 2, 3, 6`

// accounts reads the accounts that a query finds, in the order of their ids.
func accounts(ctx context.Context, from reader, query string, args ...any) ([]plugin.Account, error) {
	var found []plugin.Account
	err := each(ctx, from, fmt.Sprintf(whole, query), args, func(r *sql.Rows) error {
		var id, what, name, kind, text string
		var number int64
		var locked bool
		if err := r.Scan(&id, &what, &name, &kind, &text, &number, &locked); err != nil {
			return err
		}
		if what == "" {
			found = append(found, plugin.Account{
				ID: plugin.ID(id), Username: name, State: plugin.State{Locked: locked, Reason: text}, CreatedAt: second(number), Attributes: plugin.Attributes{},
			})
			return nil
		}
		a := &found[len(found)-1]
		if what == "g" {
			a.Groups = append(a.Groups, name)
		} else {
			a.Attributes[name] = append(a.Attributes[name], plugin.Value{Type: plugin.ValueType(kind), Text: text})
		}
		return nil
	})
	return found, err
}

// each calls f for every row.
func each(ctx context.Context, from reader, query string, args []any, f func(*sql.Rows) error) (err error) {
	rows, err := from.QueryContext(ctx, query, args...)
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
	found, err := accounts(ctx, s.reads, `SELECT `+accountColumns+` FROM accounts a WHERE a.id > $1 ORDER BY a.id LIMIT $2`, q.After, q.Limit)
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
	err := each(ctx, s.reads, `SELECT id, password <> '' AND NOT locked, password_changed_at FROM accounts WHERE id IN `+parameters(1, len(args), len(args)), args, func(r *sql.Rows) error {
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
