package sqlstore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
	"github.com/narthex/narthex/sqlstore"
)

// storeFile tells the test binary, started again as a persister, where its accounts are.
const storeFile = "SQLSTORE_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(storeFile); path != "" {
		os.Exit(servePersister(path))
	}
	os.Exit(m.Run())
}

func servePersister(path string) int {
	store, err := sqlstore.Open(context.Background(), sqlstore.Options{Path: path, Hash: sqlstore.CheapestHash})
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

func TestTheContractIsKept(t *testing.T) {
	plugintest.Run(t, func(t *testing.T) plugin.Persister { return open(t, sqlstore.Options{}) })
}

func TestTheContractIsKeptByAProcess(t *testing.T) {
	host, err := plugin.Open(t.Context(), plugin.OpenConfig{Env: []string{storeFile + "=" + filepath.Join(t.TempDir(), "accounts.db")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	plugintest.RunBackend(t, func(*testing.T) plugin.Backend { return host.Backend() })
}
