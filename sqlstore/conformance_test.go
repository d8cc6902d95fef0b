package sqlstore_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

// place tells the test binary, started again as a persister, where its accounts are: a file, or the URL of a database.
const place = "SQLSTORE_PLACE"

func TestMain(m *testing.M) {
	if where := os.Getenv(place); where != "" {
		os.Exit(servePersister(where))
	}
	code := m.Run()
	testenv.StopShared()
	os.Exit(code)
}

func servePersister(where string) int {
	store, err := sqlstore.Open(context.Background(), at(where))
	if err == nil {
		err = plugin.Serve(plugin.ServeConfig{Persister: store})
	}
	if err != nil {
		plugin.Logger().Error("the persister ends", "error", err)
		return 1
	}
	_ = store.Close()
	return 0
}

// at are the options for a file or a database.
func at(where string) sqlstore.Options {
	o := sqlstore.Options{Path: where, Hash: sqlstore.CheapestHash}
	if strings.HasPrefix(where, "postgres://") {
		o.DSN, o.Path = where, ""
	}
	return o
}

// databases makes an empty database of each kind and tells where it is.
var databases = map[string]func(*testing.T) string{
	"sqlite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "accounts.db") },
	"postgresql": func(t *testing.T) string { return testenv.PostgreSQLDatabase(t) },
}

// each runs a test for each kind of database.
func each(t *testing.T, f func(t *testing.T, where string)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(databases)) {
		t.Run(name, func(t *testing.T) { f(t, databases[name](t)) })
	}
}

// process starts a persister of its own.
func process(t *testing.T, where string) *plugin.Host {
	t.Helper()
	host, err := plugin.Open(t.Context(), plugin.OpenConfig{Env: []string{place + "=" + where}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}

func TestTheContractIsKept(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		store := open(t, at(where))
		plugintest.Run(t, func(*testing.T) plugin.Persister { return store })
	})
}

func TestTheContractIsKeptByAProcess(t *testing.T) {
	each(t, func(t *testing.T, where string) {
		host := process(t, where)
		plugintest.RunBackend(t, func(*testing.T) plugin.Backend { return host.Backend() })
	})
}
