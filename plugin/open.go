package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// OpenConfig says which persister a host starts.
type OpenConfig struct {
	// Path of an external persister: absolute, without detours; a symbolic link is followed first, and what it leads to
	// is checked and started. Only its owner may write to it and to its directories (a sticky one aside), or a group
	// that is root's or the owner's own. Empty starts this program itself again, with Args.
	Path string
	// SHA256 of the file at Path in hexadecimal, as [Checksum] returns it. Required with Path, compared at every start.
	SHA256 string
	// Args follow the program's name.
	Args []string
	// Env is the persister's own part of its environment: "NAME" hands over the host's variable if it is set,
	// "NAME=value" sets one. Beside it a persister sees PATH, HOME, TMPDIR, TZ, LANG, SSL_CERT_FILE, SSL_CERT_DIR, the
	// knobs of Go's run time, and nothing else of the host's.
	Env []string
	// SocketDir is where directories for sockets are made (mode 0700) and swept. At most 46 bytes, because a socket's
	// path is short. Default: the system's directory for temporary files.
	SocketDir string
	// Logger takes what the host has to say and what the persister writes to its standard error. Default: slog's.
	Logger *slog.Logger

	timing *timing // for tests, nil for the usual
}

// timing has the supervisor's times.
type timing struct {
	start         time.Duration // to a described persister
	gap           time.Duration // how long after a crash calls wait for the next process
	firstBackoff  time.Duration
	longBackoff   time.Duration
	steady        time.Duration // a process that lived that long starts the backoff afresh
	checkEvery    time.Duration // health of the process
	checkLimit    time.Duration
	checksToKill  int // failed in a row
	drain         time.Duration
	endGracefully time.Duration
}

func (c OpenConfig) times() timing {
	if c.timing != nil {
		return *c.timing
	}
	return timing{
		start: 10 * time.Second, gap: 500 * time.Millisecond,
		firstBackoff: 100 * time.Millisecond, longBackoff: 10 * time.Second, steady: time.Minute,
		checkEvery: 10 * time.Second, checkLimit: 5 * time.Second, checksToKill: 3,
		drain: writeLimit, endGracefully: 3 * time.Second,
	}
}

func (c OpenConfig) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.Default()
}

// name is what messages call the persister.
func (c OpenConfig) name() string {
	if c.Path != "" {
		return filepath.Base(c.Path)
	}
	if len(c.Args) > 0 {
		return c.Args[len(c.Args)-1]
	}
	return "persister"
}

// binary opens and checks an external binary; nil stands for this program itself.
func (c OpenConfig) binary() (*os.File, error) {
	if c.Path == "" {
		if c.SHA256 != "" {
			return nil, errors.New("a SHA-256 is for a persister given by path: leave NARTHEX_PERSISTER_SHA256 empty")
		}
		return nil, nil //nolint:nilnil // no file is this program
	}
	return openChecked(c.Path, c.SHA256)
}

// Open starts a persister and keeps it running until Close: a process that crashes, or hangs, is replaced. ctx bounds the
// opening only. Errors are for the operator: a wrong checksum, a program that is no persister, another version of the
// contract, a store that refuses its settings. No process is left behind then.
func Open(ctx context.Context, cfg OpenConfig) (*Host, error) {
	dir, err := newSocketDir(cfg.SocketDir)
	if err != nil {
		return nil, fmt.Errorf("open persister %s: %w", cfg.name(), err)
	}
	h := &Host{
		cfg: cfg, times: cfg.times(), dir: dir, log: cfg.logger().With("persister", cfg.name()),
		changed: make(chan struct{}), supervised: make(chan struct{}),
	}
	first, err := h.startChild(ctx)
	if err != nil {
		dir.remove()
		return nil, fmt.Errorf("open persister %s: %w", cfg.name(), err)
	}
	h.client = &client{of: first.description, acquire: h.acquire}
	h.log.Info("persister started", "pid", first.process.ID(), "store", first.description.Name, "version", first.description.Version)
	h.publish(first)
	background, stop := context.WithCancel(context.Background())
	h.stop = stop
	go h.supervise(background, first)
	return h, nil
}
