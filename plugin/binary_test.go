package plugin_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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
	t.Run("may be behind a symbolic link", func(t *testing.T) {
		cfg, _ := config(t, "store")
		cfg = external(t, cfg)
		cfg.Path = link(t, cfg.Path)
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
		"its group can write it": {func(t *testing.T, c *plugin.OpenConfig) {
			forTeam(t, c.Path, 0o775)
		}, "can be written by group"},
		"its directory's group can replace it": {func(t *testing.T, c *plugin.OpenConfig) {
			forTeam(t, filepath.Dir(c.Path), 0o775)
		}, "can replace files in"},
		"a link to what everybody can write": {func(t *testing.T, c *plugin.OpenConfig) {
			chmod(t, c.Path, 0o757)
			c.Path = link(t, c.Path)
		}, "can be written by everybody"},
		"a link to what everybody can replace": {func(t *testing.T, c *plugin.OpenConfig) {
			chmod(t, filepath.Dir(c.Path), 0o777)
			c.Path = link(t, c.Path)
		}, "everybody can replace files"},
		"a link to another program": {func(t *testing.T, c *plugin.OpenConfig) { c.Path = link(t, "/bin/echo") }, "and not the pinned one"},
		"a link to nothing":         {func(t *testing.T, c *plugin.OpenConfig) { c.Path = link(t, c.Path+"x") }, "no such file"},
		"a link to a directory":     {func(t *testing.T, c *plugin.OpenConfig) { c.Path = link(t, filepath.Dir(c.Path)) }, "is not an executable file"},
		"not executable":            {func(t *testing.T, c *plugin.OpenConfig) { chmod(t, c.Path, 0o644) }, "is not an executable file"},
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

// link makes a symbolic link in a directory of its own.
func link(t *testing.T, target string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// forTeam gives a file to a group of several people.
func forTeam(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		groups = []int{54321}
	}
	team := slices.IndexFunc(groups, func(group int) bool { return group != 0 && group != os.Geteuid() })
	if team < 0 {
		t.Fatal("this needs root, or somebody who is in a group with others")
	}
	if err := os.Chown(path, -1, groups[team]); err != nil {
		t.Fatal(err)
	}
	chmod(t, path, mode)
}

// ownedFile is a file of somebody.
type ownedFile struct {
	fs.FileInfo
	mode     fs.FileMode
	uid, gid uint32
}

func (f ownedFile) Mode() fs.FileMode { return f.mode }

func (f ownedFile) Sys() any { return &syscall.Stat_t{Uid: f.uid, Gid: f.gid} }

func TestWhoBesidesItsOwnerMayWriteAFile(t *testing.T) {
	for name, c := range map[string]struct {
		file ownedFile
		want string
	}{
		"nobody":                      {ownedFile{mode: 0o755, uid: 1000, gid: 100}, ""},
		"root's group":                {ownedFile{mode: 0o775, uid: 1000, gid: 0}, ""},
		"the owner's own group":       {ownedFile{mode: 0o775, uid: 1000, gid: 1000}, ""},
		"a group of many":             {ownedFile{mode: 0o775, uid: 1000, gid: 100}, "group 100"},
		"a group of many, root's":     {ownedFile{mode: 0o775, uid: 0, gid: 50}, "group 50"},
		"a group, write only":         {ownedFile{mode: 0o720, uid: 0, gid: 50}, "group 50"},
		"everybody":                   {ownedFile{mode: 0o757, uid: 1000, gid: 1000}, "everybody"},
		"everybody but the group":     {ownedFile{mode: 0o702, uid: 1000, gid: 100}, "everybody"},
		"a directory of a group":      {ownedFile{mode: fs.ModeDir | fs.ModeSetgid | 0o775, uid: 0, gid: 50}, "group 50"},
		"a directory, root's group's": {ownedFile{mode: fs.ModeDir | 0o775, uid: 0, gid: 0}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if who := plugin.Writers(c.file); who != c.want {
				t.Errorf("got %q, want %q", who, c.want)
			}
		})
	}
}

func TestServeExplainsItselfToAPerson(t *testing.T) {
	err := plugin.Serve(plugin.ServeConfig{Persister: &bare{}})
	if err == nil || !strings.Contains(err.Error(), "narthex, which starts it itself") {
		t.Errorf("got %v", err)
	}
}
