package model

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

//go:embed *.pml
var sources embed.FS

// ErrMissing says that a tool which every search needs is not installed.
var ErrMissing = errors.New("tool is missing: install spin and gcc (Debian, Ubuntu: apt-get install spin gcc libc6-dev)")

// Limits bound one search. What they cut off is not exhaustive, see [Result].
type Limits struct {
	// Megabytes of memory for the states seen.
	Megabytes int
	// Time for the search alone, without the compiler. 0: none.
	Time time.Duration
}

const (
	// maxDepth is how many steps a schedule may have. The longest seen has about 1,800; a longer one makes a search
	// incomplete, never wrong.
	maxDepth = 100_000
	// vectorBytes bounds one state. spin's own 1024 do not hold the locals of seven processes.
	vectorBytes = 2048
	// stopDelay is how long a stopped search has to say how far it came.
	stopDelay = 10 * time.Second
)

// Run makes the search in dir, an empty folder. An error says that there was no search; what it found is the Result.
func (s Search) Run(ctx context.Context, dir string, l Limits) (Result, error) {
	for _, tool := range []string{"spin", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			return Result{}, fmt.Errorf("search %s: %s: %w", s.Name, tool, ErrMissing)
		}
	}
	if err := os.CopyFS(dir, sources); err != nil {
		return Result{}, fmt.Errorf("search %s: copy sources: %w", s.Name, err)
	}
	if err := s.build(ctx, dir, l); err != nil {
		return Result{}, fmt.Errorf("search %s: %w", s.Name, err)
	}
	if l.Time > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, l.Time)
		defer stop()
	}
	// -E: a process that waits for ever has crashed, that is no deadlock. -n: no list of what was not reached.
	c := exec.CommandContext(ctx, "./pan", "-E", "-n", fmt.Sprintf("-m%d", maxDepth), fmt.Sprintf("-w%d", hashBits(l)))
	c.Dir = dir
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGINT) } // it prints how far it came
	c.WaitDelay = stopDelay
	start := time.Now()
	out, err := c.CombinedOutput()
	elapsed := time.Since(start)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return Result{}, fmt.Errorf("search %s: %w", s.Name, err)
	}
	r := parse(string(out))
	r.Elapsed = elapsed
	r.Complete = r.Complete && err == nil && ctx.Err() == nil
	return r, nil
}

// build makes the program that searches: spin writes it in C.
func (s Search) build(ctx context.Context, dir string, l Limits) error {
	args := []string{"-a"}
	for _, f := range s.defines() {
		args = append(args, "-D"+f)
	}
	if out, err := run(ctx, dir, "spin", append(args, "model.pml")...); err != nil {
		return fmt.Errorf("spin: %w\n%s", err, out)
	} else if _, err := os.Stat(filepath.Join(dir, "pan.c")); err != nil { // spin answers 0 even so
		return fmt.Errorf("spin does not accept the model\n%s", out)
	}
	// Without optimisation, because the compiler takes longer than it saves. Collapsed states are exact.
	out, err := run(ctx, dir, "gcc", "-O0", "-w", "-DSAFETY", "-DCOLLAPSE", fmt.Sprintf("-DVECTORSZ=%d", vectorBytes),
		fmt.Sprintf("-DMEMLIM=%d", l.Megabytes), "-o", "pan", "pan.c")
	if err != nil {
		return fmt.Errorf("gcc: %w\n%s", err, out)
	}
	return nil
}

func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return bytes.TrimSpace(out), err
}

// hashBits is the size of the first table of states, as a power of two. A table that is too small is only slow.
func hashBits(l Limits) int {
	if l.Megabytes < 2000 {
		return 20
	}
	return 24
}
