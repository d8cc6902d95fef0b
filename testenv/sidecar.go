package testenv

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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
	log     lockedBuffer
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
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout = &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start the sidecar: %v", err)
	}
	go func() {
		defer close(s.done)
		s.log.read(stderr)
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
		if line, ok := s.log.find("ready"); ok {
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

// Log returns everything the process has printed.
func (s *Sidecar) Log() string { return s.log.String() }

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

// lockedBuffer collects output while others look at it.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
	seen []readyLine
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *lockedBuffer) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l readyLine
		_ = json.Unmarshal(lines.Bytes(), &l)
		b.mu.Lock()
		b.text.WriteString(lines.Text() + "\n")
		if l.Msg != "" {
			b.seen = append(b.seen, l)
		}
		b.mu.Unlock()
	}
}

func (b *lockedBuffer) find(msg string) (readyLine, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.seen {
		if l.Msg == msg {
			return l, true
		}
	}
	return readyLine{}, false
}
