package plugin_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
)

// external makes a persister binary of its own out of this test binary.
func external(t *testing.T, cfg plugin.OpenConfig) plugin.OpenConfig {
	t.Helper()
	cfg.Path = filepath.Join(t.TempDir(), "store")
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(cfg.Path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if cfg.SHA256, err = plugin.Checksum(cfg.Path); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// replace puts other content in the place of a file, as an upgrade does.
func replace(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestAnExternalBinary(t *testing.T) {
	t.Run("is started when its checksum is the pinned one, again and again", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, external(t, cfg))
		for range 3 {
			pid := h.PID()
			_, _ = tell(t, h, "crash")
			eventually(t, "another process runs", func() bool { now := h.PID(); return now != 0 && now != pid })
		}
		if _, err := tell(t, h, "alice"); err != nil {
			t.Error(err)
		}
	})
	t.Run("is not started again once it has been changed", func(t *testing.T) {
		cfg, log := config(t, "store")
		cfg = external(t, cfg)
		h := open(t, cfg)
		replace(t, cfg.Path, "#!/bin/sh\necho something else\n")
		_, _ = tell(t, h, "crash")
		eventually(t, "the start is refused", func() bool { return strings.Contains(log.String(), "and not the pinned one") })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		isExactly(t, h.Ping(ctx), plugin.ErrUnavailable, context.DeadlineExceeded)
		if strings.Contains(log.String(), "something else") {
			t.Error("the changed binary ran")
		}
	})
	t.Run("may be a script", func(t *testing.T) {
		cfg, _ := config(t, "store")
		cfg = external(t, cfg)
		cfg.Env = append(cfg.Env, "REAL_STORE="+cfg.Path)
		cfg.Path = filepath.Join(filepath.Dir(cfg.Path), "script")
		replace(t, cfg.Path, "#!/bin/sh\nexec \"$REAL_STORE\" \"$@\"\n")
		var err error
		if cfg.SHA256, err = plugin.Checksum(cfg.Path); err != nil {
			t.Fatal(err)
		}
		if _, err := tell(t, open(t, cfg), "alice"); err != nil {
			t.Error(err)
		}
	})
	for name, c := range map[string]struct {
		alter func(*testing.T, *plugin.OpenConfig)
		want  string
	}{
		"wrong checksum":           {func(_ *testing.T, c *plugin.OpenConfig) { c.SHA256 = strings.Repeat("0", 64) }, "and not the pinned one"},
		"no checksum":              {func(_ *testing.T, c *plugin.OpenConfig) { c.SHA256 = "" }, "needs its SHA-256"},
		"not a checksum":           {func(_ *testing.T, c *plugin.OpenConfig) { c.SHA256 = "sha256:abc" }, "needs its SHA-256"},
		"relative path":            {func(_ *testing.T, c *plugin.OpenConfig) { c.Path = "store" }, "absolute and without detours"},
		"path with detours":        {func(_ *testing.T, c *plugin.OpenConfig) { c.Path = "/usr/../" + c.Path }, "absolute and without detours"},
		"no such file":             {func(_ *testing.T, c *plugin.OpenConfig) { c.Path += "x" }, "no such file"},
		"a directory":              {func(_ *testing.T, c *plugin.OpenConfig) { c.Path = filepath.Dir(c.Path) }, "is not an executable file"},
		"checksum of ourself":      {func(_ *testing.T, c *plugin.OpenConfig) { c.Path = "" }, "is for a persister given by path"},
		"changed since":            {func(t *testing.T, c *plugin.OpenConfig) { replace(t, c.Path, "#!/bin/sh\n") }, "and not the pinned one"},
		"everybody can write it":   {func(t *testing.T, c *plugin.OpenConfig) { chmod(t, c.Path, 0o757) }, "can be written by everybody"},
		"everybody can replace it": {func(t *testing.T, c *plugin.OpenConfig) { chmod(t, filepath.Dir(c.Path), 0o777) }, "everybody can replace files"},
		"not executable":           {func(t *testing.T, c *plugin.OpenConfig) { chmod(t, c.Path, 0o644) }, "is not an executable file"},
		"not a program": {func(t *testing.T, c *plugin.OpenConfig) {
			replace(t, c.Path, "just text")
			c.SHA256, _ = plugin.Checksum(c.Path)
		}, "exec format error"},
		"another program": {func(_ *testing.T, c *plugin.OpenConfig) {
			c.Path, _ = filepath.EvalSymlinks("/bin/echo")
			c.SHA256, _ = plugin.Checksum(c.Path)
			c.Args = []string{"hello"}
		}, "(exit status 0): hello"},
	} {
		t.Run("is refused: "+name, func(t *testing.T) {
			cfg, _ := config(t, "store")
			cfg = external(t, cfg)
			c.alter(t, &cfg)
			if _, err := plugin.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
			noChildren(t)
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestServeExplainsItselfToAPerson(t *testing.T) {
	err := plugin.Serve(plugin.ServeConfig{Persister: &bare{}})
	if err == nil || !strings.Contains(err.Error(), "narthex, which starts it itself") {
		t.Errorf("got %v", err)
	}
}
