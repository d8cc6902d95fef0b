package sqlstore

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/narthex/narthex/plugin"
)

// errUnusual ends the attempt to write everything in one statement: the execution is powerless or late, or a name is
// taken, and the long way finds out which.
var errUnusual = errors.New("an account needs more than one statement")

// createShortly writes everything in a single statement, which is a transaction by itself: to PostgreSQL, each statement
// is a message there and back. A process that stalls holds no name meanwhile. Where it is errUnusual, nothing is written.
//
// The account, the attempt and all names are there when the server looks at its clock: a CASE goes through its conditions
// in turn. Dividing by nothing is how a statement takes itself back.
func (s *Store) createShortly(ctx context.Context, a plugin.NewAccount, run execution, id plugin.ID, all []*rows) error {
	var parts, conditions []string
	var args []any
	for _, r := range append(all, s.attemptRow(a.Attempt, run, id)) {
		if len(r.values) == 0 {
			continue
		}
		name := "w" + strconv.Itoa(len(parts))
		parts = append(parts, name+" AS ("+r.text(len(args)+1)+" RETURNING 1)")
		args = append(append(args, r.values...), r.more...)
		conditions = append(conditions, "WHEN (SELECT count(*) FROM "+name+") <> "+strconv.Itoa(len(r.values)/len(r.columns))+" THEN 0")
	}
	args = append(args, a.NotAfter)
	text := "WITH " + strings.Join(parts, ", ") + " SELECT 1 / CASE " + strings.Join(conditions, " ") +
		" WHEN clock_timestamp() > $" + strconv.Itoa(len(args)) + "::timestamptz THEN 0 ELSE 1 END"
	s.hook("sqlstore.create.uncommitted")
	_, err := s.write(ctx, text, args...)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == pgerrcode.DivisionByZero || s.dialect.judge(err) == conflict {
		return errUnusual
	}
	return err
}
