//go:build linux

package testenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/narthex/narthex/testenv"
)

// TestTimersAreRelaxedUnlessSomebodyHasChosen looks at every thread: one that is not relaxed wakes as often as it likes.
func TestTimersAreRelaxedUnlessSomebodyHasChosen(t *testing.T) {
	for name, c := range map[string]struct{ given, want int }{
		"nobody has":               {50_000, 1_000_000},
		"somebody has chosen less": {30_000, 30_000},
		"somebody has chosen more": {2_000_000, 2_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			s := startWithSlack(t, c.given)
			for _, process := range []int{s.PID(), s.Persister()} {
				for thread, slack := range slacks(t, process) {
					if slack != fmt.Sprint(c.want) {
						t.Errorf("thread %s has a slack of %s ns, want %d", thread, slack, c.want)
					}
				}
			}
		})
	}
}

// startWithSlack starts a sidecar as a service manager would that sets the slack of its timers, in nanoseconds.
func startWithSlack(t *testing.T, slack int) *testenv.Sidecar {
	t.Helper()
	binary := testenv.Binary(t) // not on a thread with a slack
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	setSlack(t, slack)
	s := testenv.LaunchBinary(t, binary, cheapHash)
	setSlack(t, before)
	if err := s.WaitReady(); err != nil {
		t.Fatalf("%v\n%s", err, s.Log())
	}
	return s
}

func setSlack(t *testing.T, slack int) {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0); err != nil {
		t.Fatal(err)
	}
}

// slacks returns the slack of each thread of a process.
func slacks(t *testing.T, process int) map[string]string {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", process))
	if err != nil || len(threads) < 2 {
		t.Fatalf("the process has %d threads (%v)", len(threads), err)
	}
	found := map[string]string{}
	for _, thread := range threads {
		slack, err := os.ReadFile(filepath.Join("/proc", filepath.Base(thread), "timerslack_ns"))
		if os.IsPermission(err) {
			t.Skip("only root may look at the timers of other processes")
		}
		if err == nil { // it may have ended
			found[filepath.Base(thread)] = strings.TrimSpace(string(slack))
		}
	}
	return found
}
