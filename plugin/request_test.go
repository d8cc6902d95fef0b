package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
)

func TestAPersisterKnowsWhichRequestACallBelongsTo(t *testing.T) {
	var got string
	var log bytes.Buffer
	store := &bare{ping: func(ctx context.Context) error {
		got = plugin.RequestOf(ctx)
		return errors.New("the disk is on fire")
	}}
	b, stop, err := plugin.InProcess(t.Context(), plugin.ServeConfig{Persister: store, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for id, want := range map[string]string{
		"0123456789abcdef01234567": "0123456789abcdef01234567", "A-b-9": "A-b-9", "": "", "a\nb": "", "a b": "", strings.Repeat("x", 65): "", "é": "",
	} {
		log.Reset()
		if err := b.Ping(plugin.WithRequest(t.Context(), id)); err == nil {
			t.Error("Ping succeeds")
		}
		if got != want {
			t.Errorf("of request %q the persister knows %q", id, got)
		}
		if has := strings.Contains(log.String(), "request="); has != (want != "") || !strings.Contains(log.String(), "request="+want) && want != "" {
			t.Errorf("with request %q it logs %s", id, &log)
		}
	}
}
