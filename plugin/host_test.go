package plugin_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
)

func TestHost(t *testing.T) {
	t.Run("a crash in a write is an unknown outcome, and the next call meets a new process", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		first := h.PID()
		a := newcomer()
		a.Keys[0] = usernameKey("crash")
		if _, err := h.Backend().Create(t.Context(), a); !errors.Is(err, plugin.ErrUnknownOutcome) || errors.Is(err, plugin.ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
		eventually(t, "the crash is noticed", func() bool { return h.PID() != first })
		if _, err := h.Backend().Create(t.Context(), newcomer()); err != nil {
			t.Errorf("after the restart: %v", err)
		}
	})
	t.Run("a crash in a read is unavailable", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		if _, err := tell(t, h, "crash"); !errors.Is(err, plugin.ErrUnavailable) || errors.Is(err, plugin.ErrUnknownOutcome) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a process that keeps crashing is restarted again and again", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		for range 5 {
			pid := h.PID()
			_, _ = tell(t, h, "crash")
			eventually(t, "another process runs", func() bool { now := h.PID(); return now != 0 && now != pid })
		}
		if _, err := tell(t, h, "alice"); err != nil {
			t.Error(err)
		}
	})
	t.Run("a panic is the error of one call and its text stays in the persister", func(t *testing.T) {
		cfg, log := config(t, "store")
		h := open(t, cfg)
		pid := h.PID()
		_, err := tell(t, h, "panic")
		if err == nil || strings.Contains(err.Error(), "confused") {
			t.Errorf("got %v", err)
		}
		if _, err := tell(t, h, "alice"); err != nil || h.PID() != pid {
			t.Errorf("the process did not survive: %v", err)
		}
		eventually(t, "the panic is logged", func() bool { return strings.Contains(log.String(), "a call panicked") })
		saysOnlyWhere(t, log.String())

		own := &record{}
		b, stop, err := plugin.InProcess(t.Context(), plugin.ServeConfig{Persister: puppet(), Logger: slog.New(slog.NewJSONHandler(own, nil))})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		_, _ = b.Lookup(t.Context(), usernameKey("panic"))
		saysOnlyWhere(t, own.String())
		_, _ = b.Lookup(t.Context(), usernameKey("slip"))
		if !strings.Contains(own.String(), "index out of range [5]") {
			t.Errorf("a run-time error is withheld: %s", own)
		}
	})
	t.Run("killed during a write, the outcome is unknown, and the process is replaced", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		pid := h.PID()
		a := newcomer()
		a.Keys[0] = usernameKey("hang")
		outcome := make(chan error)
		go func() {
			_, err := h.Backend().Create(t.Context(), a)
			outcome <- err
		}()
		time.Sleep(100 * time.Millisecond)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		isExactly(t, <-outcome, plugin.ErrUnknownOutcome)
		eventually(t, "the end is noticed", func() bool { return h.PID() != pid })
		if made, err := h.Backend().Create(t.Context(), newcomer()); err != nil || made.Username != "alice" {
			t.Errorf("after the restart: %v", err)
		}
	})
	t.Run("a store that describes itself differently is not used", func(t *testing.T) {
		cfg, log := config(t, "store")
		version := filepath.Join(t.TempDir(), "version")
		replace(t, version, "1.0")
		cfg.Env = append(cfg.Env, versionVariable+"="+version)
		h := open(t, cfg)
		if h.Description().Version != "1.0" {
			t.Fatalf("got %+v", h.Description())
		}
		replace(t, version, "2.0")
		_, _ = tell(t, h, "crash")
		eventually(t, "the store is refused", func() bool { return strings.Contains(log.String(), "describes itself differently") })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		isExactly(t, h.Ping(ctx), plugin.ErrUnavailable, context.DeadlineExceeded)
		replace(t, version, "1.0")
		if err := h.Ping(t.Context()); err != nil {
			t.Errorf("the same as before is welcome: %v", err)
		}
	})
	t.Run("a stopped process is replaced, and Ping tells", func(t *testing.T) {
		cfg, log := config(t, "store")
		h := open(t, cfg)
		pid := h.PID()
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another process runs", func() bool { now := h.PID(); return now != 0 && now != pid })
		if err := h.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), "does not answer") {
			t.Error("nothing says why")
		}
	})
	t.Run("the process survives what a service manager sends to the whole group", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		pid := h.PID()
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGTERM} {
			if err := syscall.Kill(-pid, signal); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Millisecond)
		if _, err := tell(t, h, "alice"); err != nil || h.PID() != pid {
			t.Errorf("got %v, process %d and now %d", err, pid, h.PID())
		}
	})
	t.Run("calls under way are answered before the process ends, and later ones refused", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		began, answered := make(chan struct{}), make(chan error)
		go func() {
			close(began)
			_, err := tell(t, h, "be deaf")
			answered <- err
		}()
		<-began
		time.Sleep(100 * time.Millisecond)
		closed := make(chan error)
		go func() { closed <- h.Close() }()
		if err := <-answered; err != nil {
			t.Errorf("the call was cut off: %v", err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if _, err := tell(t, h, "alice"); !errors.Is(err, plugin.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the process ends by itself when it is asked to", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		began := time.Now()
		if err := h.Close(); err != nil || time.Since(began) > 2900*time.Millisecond {
			t.Errorf("%v after %v: it was killed", err, time.Since(began))
		}
		noChildren(t)
	})
	t.Run("a call that hangs does not keep Close from ending the process", func(t *testing.T) {
		cfg, _ := config(t, "store")
		h := open(t, cfg)
		var calls sync.WaitGroup
		calls.Go(func() { _, _ = tell(t, h, "hang") })
		time.Sleep(50 * time.Millisecond)
		began := time.Now()
		if err := h.Close(); err != nil || time.Since(began) > 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		calls.Wait()
		noChildren(t)
	})
}

// saysOnlyWhere fails unless a log tells the type of what was thrown and the function that threw it, and nothing of it.
func saysOnlyWhere(t *testing.T, log string) {
	t.Helper()
	if strings.Contains(log, "hunter2") || strings.Contains(log, "confused") {
		t.Errorf("what was thrown is logged: %s", log)
	}
	for _, want := range []string{`"type":"string"`, `"panic":"withheld"`, "plugin_test.obey "} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is missing: %s", want, log)
		}
	}
}

func TestAProcessSeesOnlyItsOwnVariables(t *testing.T) {
	t.Setenv("NARTHEX_SECRET", "the key of everything")
	t.Setenv("STORE_ADDRESS", "db.example.org")
	t.Setenv("GOGC", "50")
	cfg, _ := config(t, "store")
	cfg.Env = append(cfg.Env, "STORE_ADDRESS", "STORE_UNSET", "STORE_MODE=strict")
	account, err := tell(t, open(t, cfg), "tell the environment")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"STORE_ADDRESS", "STORE_MODE", "GOGC", "PATH"} {
		if account.Attributes.Text(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	allowed := []string{
		"STORE_ADDRESS", "STORE_MODE", roleVariable,
		"PATH", "HOME", "TMPDIR", "TZ", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG", "GOTRACEBACK", "GORACE",
	}
	for name := range account.Attributes {
		if !slices.Contains(allowed, name) && !strings.HasPrefix(name, "PLUGIN_") {
			t.Errorf("the process sees %s", name)
		}
	}
}

func TestWhatAProcessWritesIsBounded(t *testing.T) {
	t.Run("lines arrive with their level", func(t *testing.T) {
		cfg, log := config(t, "store")
		if _, err := tell(t, open(t, cfg), "print"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`"text":"printed by the store"`, `"text":"complained by the store"`,
			`"level":"ERROR","msg":"persister log","persister":"persister","text":"logged by the store","stream":"stderr","fields":{"why":"because"}`,
		} {
			eventually(t, want, func() bool { return strings.Contains(log.String(), want) })
		}
	})
	t.Run("lines made to trip a parser are text", func(t *testing.T) {
		cfg, log := config(t, "store")
		if _, err := tell(t, open(t, cfg), "hostile log"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the line is logged", func() bool { return strings.Contains(log.String(), `\"@message\": 5`) })
	})
	t.Run("a flood is cut down and counted", func(t *testing.T) {
		cfg, log := config(t, "store")
		h := open(t, cfg)
		began := time.Now()
		if _, err := tell(t, h, "flood"); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		seconds := int(time.Since(began).Seconds()) + 1
		if n := strings.Count(log.String(), `"text":"flood flood`); n > 250+seconds*20 || n < 100 {
			t.Errorf("%d lines passed in %d s", n, seconds)
		}
		for line := range strings.Lines(log.String()) {
			if len(line) > 9<<10 {
				t.Errorf("a line of %d bytes passed", len(line))
			}
		}
		if !strings.Contains(log.String(), "lines were dropped") {
			t.Error("nobody learns that lines were dropped")
		}
	})
}

// TestAProcessEndsWithItsHost kills a host without warning. Either means is enough.
func TestAProcessEndsWithItsHost(t *testing.T) {
	for _, role := range []string{"store", "store without pdeathsig", "store without stdin"} {
		t.Run(role, func(t *testing.T) {
			host := exec.CommandContext(t.Context(), os.Args[0])
			host.Env = append(os.Environ(), roleVariable+"=host", "NARTHEX_TEST_CHILD="+role)
			host.Stderr = os.Stderr
			said, err := host.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := host.Start(); err != nil {
				t.Fatal(err)
			}
			var pid int
			var sockets string
			if line, err := bufio.NewReader(said).ReadString('\n'); err != nil {
				t.Fatal(err)
			} else if _, err := fmt.Sscan(line, &pid, &sockets); err != nil {
				t.Fatal(err)
			}
			if !runs(pid) {
				t.Fatal("the persister does not run")
			}
			_ = host.Process.Kill()
			_ = host.Wait()
			eventually(t, "the persister has ended", func() bool { return !runs(pid) })

			// What the host has left is swept by the next one.
			cfg, _ := config(t, "store")
			stale := filepath.Join(cfg.SocketDir, filepath.Base(sockets))
			if err := os.Rename(sockets, stale); err != nil {
				t.Fatal(err)
			}
			open(t, cfg)
			if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the stale directory is still there: %v", err)
			}
		})
	}
}

// runs tells whether a process runs; one that nobody has waited for does not.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

func TestALivingHostsSocketsAreNotSwept(t *testing.T) {
	cfg, _ := config(t, "store")
	h := open(t, cfg)
	open(t, cfg)
	if _, err := tell(t, h, "alice"); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(h.SocketDirPath())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}
