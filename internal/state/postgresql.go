package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// connections bounds the pool of one process: several for each core, because most of them wait for the disk.
func connections() int { return min(max(4*runtime.NumCPU(), 8), 20) }

const (
	// connectLimit bounds the wait for a connection to one server.
	connectLimit = 3 * time.Second
	// connectionLife ends connections now and then: what a server keeps for one does not grow for ever, and after a
	// move of the database everybody finds the new place.
	connectionLife = 30 * time.Minute
)

// sessionSettings are those of every connection, where the DSN does not say otherwise. A process that is stopped in the
// middle of a transaction must not keep its locks from the other replicas.
var sessionSettings = map[string]string{
	"application_name":                    "narthex",
	"statement_timeout":                   "5s",
	"lock_timeout":                        "3s",
	"idle_in_transaction_session_timeout": "10s",
	"default_transaction_isolation":       "read committed", // what the statements are written for
}

// openPostgreSQL connects and brings the tables up to date.
func (db *DB) openPostgreSQL(ctx context.Context) error {
	config, err := pgx.ParseConfig(db.cfg.DSN)
	if err != nil {
		return errors.New("the URL of the PostgreSQL database cannot be read: write it like postgres://user:password@host:5432/database?sslmode=verify-full")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectLimit
	}
	if err := migratePostgreSQL(ctx, *config); err != nil {
		return err
	}
	for name, value := range sessionSettings {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(connections())
	pool.SetMaxIdleConns(connections())
	pool.SetConnMaxLifetime(connectionLife)
	db.writer, db.reads = pool, pool
	db.dialect = dialect{skipLocked: " FOR UPDATE SKIP LOCKED", elements: "json_array_elements_text", writesInOne: true, asynchronous: asynchronousCommit}
	if db.cfg.Clock != nil {
		return nil
	}
	clock, err := newDatabaseClock(ctx, pool)
	if err != nil {
		return err
	}
	db.now = clock.now
	return nil
}

// checkServer refuses a server that would lose what was answered, or change texts.
func checkServer(ctx context.Context, pool *sql.DB) error {
	var encoding, commits, readOnly string
	err := pool.QueryRowContext(ctx, `SELECT current_setting('server_encoding'), current_setting('synchronous_commit'),
		current_setting('transaction_read_only')`).Scan(&encoding, &commits, &readOnly)
	switch {
	case err != nil:
		return fmt.Errorf("ask the server for its settings: %w", err)
	case encoding != "UTF8":
		return errors.New("the database's encoding is not UTF8: make it anew with ENCODING 'UTF8'")
	case commits == "off":
		return errors.New("synchronous_commit is off, and what was answered could get lost: put synchronous_commit=on into the URL's query")
	case readOnly == "on":
		return errors.New("the server is a standby or read only: name the primary, or all servers and target_session_attrs=read-write")
	}
	return nil
}

// migratePostgreSQL lets one process at a time bring the tables up to date; those that start meanwhile wait for it. Its
// connection has no deadline for a statement: an index on a large table takes its time.
func migratePostgreSQL(ctx context.Context, config pgx.ConnConfig) (err error) {
	pool := stdlib.OpenDB(config)
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := checkServer(ctx, pool); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations/postgres")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, pool, files, goose.WithSessionLocker(locker), goose.WithTableName("narthex_state_version"))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the tables up to date: %w", err)
	}
	return nil
}
