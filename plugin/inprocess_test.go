package plugin_test

import (
	"log/slog"
	"testing"

	"github.com/narthex/narthex/plugin"
)

// overWire opens a store over gRPC in this process.
func overWire(t *testing.T, p plugin.Persister) plugin.Backend {
	t.Helper()
	b, stop, err := plugin.InProcess(t.Context(), plugin.ServeConfig{Persister: p, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return b
}

func TestAStoreAnswersOverTheWire(t *testing.T) {
	b := overWire(t, &bare{})
	made, err := b.Create(t.Context(), newcomer())
	if err != nil {
		t.Fatal(err)
	}
	if made.ID != "1" || made.Username != "alice" || made.Attributes.Text("sn") != "Liddell" || !made.CreatedAt.Equal(whole) {
		t.Errorf("got %+v", made)
	}
}
