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
	result  sql.Result
}

func newRows(table string, columns ...string) *rows { return &rows{table: table, columns: columns} }

func (r *rows) add(values ...any) { r.values = append(r.values, values...) }

// insert writes the rows with one statement that ends in suffix; more are the values of parameters that suffix names,
// counting on from those of the rows. No rows are no statement.
func (r *rows) insert(ctx context.Context, tx *sql.Tx, suffix string, more ...any) (err error) {
	if len(r.values) == 0 {
		return nil
	}
	//nolint:gosec // table, columns and suffix are this package's own words; values are parameters
	text := "INSERT INTO " + r.table + " (" + strings.Join(r.columns, ", ") + ") VALUES " + parameters(len(r.values), len(r.columns)) + " " + suffix
	r.result, err = tx.ExecContext(ctx, text, append(r.values, more...)...)
	return err
}

// next is the name of the first parameter after those of the rows.
func (r *rows) next() string { return "$" + strconv.Itoa(len(r.values)+1) }

// parameters returns "($1, $2), ($3, $4)" for n parameters in rows of width.
func parameters(n, width int) string {
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
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(")")
	return b.String()
}
