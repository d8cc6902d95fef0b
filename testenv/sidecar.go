package testenv

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Sidecar is a running narthex process.
type Sidecar struct {
	// URL of the public listener, Admin of the admin listener.
	URL, Admin string
	// DataDir is its NARTHEX_DATA_DIR.
	DataDir string

	t       testing.TB
	address string
	cmd     *exec.Cmd
	log     string // the file that everything goes to which it prints
	done    chan struct{}
}

// startLimit bounds the wait for a sidecar that gets ready: generous, because the race detector is slow at it.
const startLimit = 60 * time.Second

// Start runs `narthex` on free loopback ports with a data directory of its own and waits until it is ready. env adds
// variables ("NAME=value"); NARTHEX_DATA_DIR among them names an existing data directory.
func Start(t testing.TB, env ...string) *Sidecar {
	t.Helper()
	s := Launch(t, env...)
	if err := s.WaitReady(); err != nil {
		t.Fatalf("the sidecar did not get ready: %v\n%s", err, s.Log())
	}
	return s
}

// Launch is Start without the wait, for sidecars that are expected to die or to refuse.
func Launch(t testing.TB, env ...string) *Sidecar {
	t.Helper()
	return LaunchBinary(t, Binary(t), env...)
}

// LaunchBinary is Launch with a binary of the caller's choice.
func LaunchBinary(t testing.TB, binary string, env ...string) *Sidecar {
	t.Helper()
	s := &Sidecar{t: t, done: make(chan struct{})}
	s.cmd = exec.Command(binary)
	s.cmd.Env = append(BareEnvironment(),
		"NARTHEX_LISTEN=127.0.0.1:0", "NARTHEX_ADMIN_LISTEN=127.0.0.1:0", "NARTHEX_LOG_FORMAT=json", "NARTHEX_LOG_LEVEL=debug")
	for _, v := range env {
		if dir, ok := strings.CutPrefix(v, "NARTHEX_DATA_DIR="); ok {
			s.DataDir = dir
		}
	}
	if s.DataDir == "" {
		s.DataDir = filepath.Join(t.TempDir(), "data")
		s.cmd.Env = append(s.cmd.Env, "NARTHEX_DATA_DIR="+s.DataDir)
	}
	s.cmd.Env = append(s.cmd.Env, env...)
	// A pipe would wake this process for every line, and load is measured with this, too.
	s.log = filepath.Join(t.TempDir(), "log")
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start the sidecar: %v", err)
	}
	go func() {
		defer close(s.done)
		_ = s.cmd.Wait()
	}()
	t.Cleanup(func() { s.Kill() })
	return s
}

// BareEnvironment is what a process needs and nothing else: no setting of whoever runs the tests leaks in.
func BareEnvironment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCACHE", "GOMODCACHE", "GORACE", "GOFLAGS"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// WaitReady waits for the log line that tells the addresses.
func (s *Sidecar) WaitReady() error {
	deadline := time.After(startLimit)
	for {
		if line, ok := s.ready(); ok {
			s.URL, s.Admin, s.address = line.PublicURL, line.AdminURL, line.Address
			return nil
		}
		select {
		case <-s.done:
			return errors.New("it has ended")
		case <-deadline:
			return errors.New("time is up")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ready looks for the log line that tells the addresses.
func (s *Sidecar) ready() (l readyLine, found bool) {
	for line := range strings.Lines(s.Log()) {
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "ready" {
			return l, true
		}
	}
	return readyLine{}, false
}

// Log returns everything the process has printed.
func (s *Sidecar) Log() string {
	log, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// Address returns the host and port that the public listener is at, which URL names only where no proxy is in front.
func (s *Sidecar) Address() string { return s.address }

// PID returns the process id.
func (s *Sidecar) PID() int { return s.cmd.Process.Pid }

// Terminate sends SIGTERM and returns the exit code.
func (s *Sidecar) Terminate() int {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	return s.Wait()
}

// Kill ends the process as a power cut would, and waits until it is gone.
func (s *Sidecar) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Wait waits for the end of the process and returns its exit code, -1 after a signal.
func (s *Sidecar) Wait() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(startLimit):
		s.t.Fatalf("the sidecar does not end\n%s", s.Log())
	}
	return s.cmd.ProcessState.ExitCode()
}

// Exited tells whether the process has ended.
func (s *Sidecar) Exited() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Persister returns the process id of the persister that the sidecar runs.
func (s *Sidecar) Persister() int {
	s.t.Helper()
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if pids := children(s.PID()); len(pids) == 1 {
			return pids[0]
		}
	}
	s.t.Fatalf("the sidecar runs no persister\n%s", s.Log())
	return 0
}

// readyLine is the part of the log line "ready" that tests need.
type readyLine struct {
	Msg       string `json:"msg"`
	Address   string `json:"address"`
	PublicURL string `json:"public_url"`
	AdminURL  string `json:"admin_url"`
}
