package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// rows collects several rows for one INSERT statement.
type rows struct {
	table   string
	columns []string
	values  []any
	// suffix ends the statement. Where it says $next, it means the next one of more, the values after those of the rows.
	suffix string
	more   []any
}

func newRows(table string, columns ...string) *rows { return &rows{table: table, columns: columns} }

func (r *rows) add(values ...any) { r.values = append(r.values, values...) }

// text is the statement, its parameters counted from first on.
func (r *rows) text(first int) string {
	suffix := r.suffix
	for i := range r.more {
		suffix = strings.Replace(suffix, "$next", "$"+strconv.Itoa(first+len(r.values)+i), 1)
	}
	return "INSERT INTO " + r.table + " (" + strings.Join(r.columns, ", ") + ") VALUES " + parameters(first, len(r.values), len(r.columns)) + " " + suffix
}

// insert writes rows of several tables, in this order, and returns what came of the last. No rows are no statement.
// Where the database can, all are one statement.
func (s *Store) insert(ctx context.Context, tx *transaction, all ...*rows) (result sql.Result, err error) {
	var together []string
	var args []any
	for _, r := range all {
		if len(r.values) == 0 {
			continue
		}
		if !s.dialect.together {
			if result, err = tx.ExecContext(ctx, r.text(1), append(r.values, r.more...)...); err != nil {
				return nil, err
			}
			continue
		}
		together = append(together, r.text(len(args)+1))
		args = append(append(args, r.values...), r.more...)
	}
	if len(together) == 0 {
		return result, nil
	}
	last := len(together) - 1
	for i, text := range together[:last] {
		together[i] = "i" + strconv.Itoa(i) + " AS (" + text + ")"
	}
	text := together[last]
	if last > 0 {
		text = "WITH " + strings.Join(together[:last], ", ") + " " + text
	}
	return tx.ExecContext(ctx, text, args...)
}

// parameters returns "($1, $2), ($3, $4)" for n parameters in rows of width, counted from first on.
func parameters(first, n, width int) string {
	var b strings.Builder
	for i := range n {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(first+i))
	}
	b.WriteString(")")
	return b.String()
}
