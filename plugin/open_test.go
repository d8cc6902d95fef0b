package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
)

// record is a log that a test can read.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// config starts this test binary as a persister in a role.
func config(t *testing.T, role string) (plugin.OpenConfig, *record) {
	t.Helper()
	log := &record{}
	parent, err := os.MkdirTemp("", "nx") // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(parent); err == nil && len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		_ = os.RemoveAll(parent)
	})
	start := 20 * time.Second
	if role == "silent" || role == "never describes itself" {
		start = time.Second
	}
	return plugin.Quick(plugin.OpenConfig{
		// The race detector would have every process sleep a second before it exits.
		Env: []string{roleVariable + "=" + role, "GORACE=atexit_sleep_ms=0"}, SocketDir: parent,
		Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, start), log
}

func open(t *testing.T, cfg plugin.OpenConfig) *plugin.Host {
	t.Helper()
	h, err := plugin.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// tell makes the puppet obey.
func tell(t *testing.T, h *plugin.Host, command string) (plugin.Account, error) {
	t.Helper()
	return h.Backend().Lookup(t.Context(), usernameKey(command))
}

// eventually waits for something that another process does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Run("a process describes itself and answers", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		if d := h.Description(); d.Name != "puppet" || d.Contract != plugin.ContractVersion || d.Limits.MaxKeys != plugin.MaxKeys {
			t.Errorf("got %+v", d)
		}
		b := h.Backend()
		if b.Authenticator == nil || b.Maintainer != nil {
			t.Error("capabilities are those that the store has and does not withhold")
		}
		if err := h.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		made, err := b.Create(t.Context(), newcomer())
		if err != nil || made.Username != "alice" {
			t.Errorf("got %+v, %v", made, err)
		}
	})
	t.Run("lines before the handshake do no harm", func(t *testing.T) {
		cfg, log := config(t, "hides on stdout")
		open(t, cfg)
		if !strings.Contains(log.String(), "a line that the author forgot") {
			t.Error("the line is lost")
		}
	})
	t.Run("a context that ends while starting ends the process", func(t *testing.T) {
		cfg, _ := config(t, "silent")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := plugin.Open(ctx, cfg)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct{ role, want string }{
		{"other version", "the persister speaks version 7 of the contract, this host version 1"},
		{"elsewhere", "does not listen in the directory it was given"},
		{"net/rpc", `it speaks "netrpc" and not "grpc"`},
		{"chatterbox", "is this program a persister?"},
		{"long line", "is this program a persister?"},
		{"silent", "the persister is not ready after 1s"},
		{"refuses its settings", "(exit status 1): LOST_DSN is not set, password [redacted]"},
		{"cannot describe itself", "persister describe: the persister failed, its log has the details"},
		{"lies about itself", `unknown capability "teleporter"`},
		{"is of another version", "the persister speaks version 7 of the contract, this host version 1"},
		{"never describes itself", "the persister is not ready after 1s"},
		{"unknown role", "(exit status 2): nothing was written"},
	} {
		t.Run(c.role, func(t *testing.T) {
			cfg, log := config(t, c.role)
			cfg.Env = append(cfg.Env, "STORE_PASSWORD=hunter2")
			_, err := plugin.Open(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
			if strings.Contains(log.String()+fmt.Sprint(err), "hunter2") {
				t.Errorf("a secret is told: %v, %s", err, log)
			}
			noChildren(t)
		})
	}
}

// noChildren fails when something that this process has started still runs, or was never waited for.
func noChildren(t *testing.T) {
	t.Helper()
	threads, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(threads) == 0 {
		t.Fatalf("cannot look for processes: %v", err)
	}
	for _, thread := range threads {
		if children, err := os.ReadFile(thread); err == nil && len(bytes.TrimSpace(children)) > 0 {
			t.Errorf("a process is left behind: %s", children)
		}
	}
}
