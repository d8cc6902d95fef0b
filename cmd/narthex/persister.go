package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/failpoint"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
)

// accountsFile hands the default place of the accounts to the sql persister.
const accountsFile = "ACCOUNTS_FILE"

// newPersister is what the sidecar starts itself as; nobody needs to type it.
func newPersister() *cobra.Command {
	persister := &cobra.Command{Use: "persister", Short: "Keep accounts for a sidecar, which starts this itself", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("a persister is started by the sidecar: choose one with NARTHEX_PERSISTER")
		}}
	persister.AddCommand(&cobra.Command{Use: "sql", Short: "Keep accounts in an SQL database", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return servePersister(cmd.Context()) }})
	persister.AddCommand(newLDAPPersister())
	return persister
}

// servePersister is the whole life of the sql persister's process.
func servePersister(ctx context.Context) (err error) {
	log := plugin.Logger()
	identifier.ForgetPhones() // the sidecar reads them
	options, err := sqlOptions()
	if err != nil {
		return failed(err)
	}
	sqlstore.KeepMemory(options.Hash)
	store, err := sqlstore.Open(ctx, options)
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return plugin.Serve(plugin.ServeConfig{Persister: store, Logger: log})
}

// sqlOptions reads the sql persister's own settings.
func sqlOptions() (sqlstore.Options, error) {
	o := sqlstore.Options{Path: os.Getenv(accountsFile), Hook: failpoint.Hit, Version: version()}
	dsn, file := os.Getenv("NARTHEX_SQL_DSN"), os.Getenv("NARTHEX_SQL_DSN_FILE")
	if dsn != "" && file != "" {
		return o, errors.New("NARTHEX_SQL_DSN_FILE stands beside NARTHEX_SQL_DSN: keep one of the two")
	}
	if file != "" {
		var err error
		if dsn, err = config.ReadSecretFile(file); err != nil {
			return o, fmt.Errorf("NARTHEX_SQL_DSN_FILE: %w", err)
		}
	}
	switch {
	case config.PostgreSQL(dsn):
		o.DSN = dsn
	case strings.Contains(dsn, "://"):
		return o, errors.New("NARTHEX_SQL_DSN is neither a path nor a postgres:// URL: name a SQLite file, or a PostgreSQL database like postgres://user:password@host/database")
	case dsn != "":
		o.Path = dsn
	}
	if cost := os.Getenv("NARTHEX_SQL_ARGON2ID"); cost != "" {
		var err error
		if o.Hash, err = sqlstore.ParseHash(cost); err != nil {
			return o, fmt.Errorf("NARTHEX_SQL_ARGON2ID: %w", err)
		}
	}
	return o, nil
}
