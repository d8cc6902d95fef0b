package main

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/failpoint"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

func newLDAPPersister() *cobra.Command {
	return &cobra.Command{Use: "ldap", Short: "Keep accounts in a directory", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveDirectory(cmd.Context()) }}
}

// serveDirectory is the whole life of the ldap persister's process.
func serveDirectory(ctx context.Context) (err error) {
	log := plugin.Logger()
	options, err := ldapOptions()
	if err != nil {
		return failed(err)
	}
	options.Log = log
	if failpoint.Enabled {
		options.Hook = func(_ context.Context, op directory.Operation) error {
			failpoint.Hit("ldapstore." + op.Name)
			return nil
		}
	}
	store, err := ldapstore.Open(ctx, options)
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return plugin.Serve(plugin.ServeConfig{Persister: store, Logger: log})
}

// flowsFile hands the flows file to the ldap persister: it says which addresses are the same, and what is stored.
const flowsFile = "FLOWS_FILE"

// canonical forms the keys of values that stand in a directory.
func canonical(rules *identifier.Rules) func(plugin.KeyKind, string, string) (string, bool) {
	return func(kind plugin.KeyKind, attribute, value string) (string, bool) {
		if kind == plugin.KindUnique {
			return rules.Unique(attribute, plugin.StringValue(value)).Key(attribute, false).Canonical, true
		}
		id, err := rules.Login(value)
		if err != nil {
			return "", false
		}
		key := id.Key(attribute, true)
		return key.Canonical, key.Kind == kind
	}
}

// ldapOptions reads the ldap persister's own settings; which of them there must be, the sidecar has judged.
func ldapOptions() (ldapstore.Options, error) {
	o := ldapstore.Options{Version: version(), Base: os.Getenv("NARTHEX_LDAP_BASE"), File: os.Getenv("NARTHEX_PERSISTER_CONFIG")}
	var err error
	if o.Directory, err = directoryConnection(); err != nil {
		return o, err
	}
	definition, err := readFlows(cmp.Or(os.Getenv(flowsFile), os.Getenv("NARTHEX_FLOWS")))
	if err != nil {
		return o, err
	}
	rules, err := identifier.New(definition.Identifiers)
	if err != nil {
		return o, err
	}
	o.Canonical, o.Uses = canonical(rules), definition.Uses()
	return o, nil
}
