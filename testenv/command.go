package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
)

// Command runs f with everything that this package starts, outside of `go test`, and returns the exit code. What f
// starts is stopped in the end, as after a test.
func Command(errOut io.Writer, f func(testing.TB)) int {
	c := &command{errOut: errOut}
	done := make(chan struct{})
	// Fatal ends the goroutine, as in a test.
	go func() {
		defer close(done)
		defer c.cleanUp()
		f(c)
	}()
	<-done
	if c.Failed() {
		return 1
	}
	return 0
}

// command is a testing.TB for programs. Only what this package uses is there; the rest panics, being nil.
type command struct {
	testing.TB
	errOut io.Writer

	mu      sync.Mutex
	failed  bool
	cleanup []func()
}

func (c *command) Helper()                  {}
func (c *command) Name() string             { return "command" }
func (c *command) Context() context.Context { return context.Background() }

func (c *command) Cleanup(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleanup = append(c.cleanup, f)
}

func (c *command) cleanUp() {
	for {
		c.mu.Lock()
		if len(c.cleanup) == 0 {
			c.mu.Unlock()
			return
		}
		last := c.cleanup[len(c.cleanup)-1]
		c.cleanup = c.cleanup[:len(c.cleanup)-1]
		c.mu.Unlock()
		last()
	}
}

func (c *command) TempDir() string {
	dir, err := os.MkdirTemp("", "narthex-")
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (c *command) Log(args ...any)                 { fmt.Fprintln(c.errOut, args...) }
func (c *command) Logf(format string, args ...any) { fmt.Fprintf(c.errOut, format+"\n", args...) }

func (c *command) Fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = true
}

func (c *command) Failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func (c *command) FailNow()                          { c.Fail(); runtime.Goexit() }
func (c *command) Error(args ...any)                 { c.Log(args...); c.Fail() }
func (c *command) Errorf(format string, args ...any) { c.Logf(format, args...); c.Fail() }
func (c *command) Fatal(args ...any)                 { c.Log(args...); c.FailNow() }
func (c *command) Fatalf(format string, args ...any) { c.Logf(format, args...); c.FailNow() }
