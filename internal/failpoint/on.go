//go:build failpoints

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Enabled tells whether this build has failpoints, for callers whose names of places cost something to make.
const Enabled = true

// hits counts how often the chosen point has been reached.
var hits atomic.Int64

// Environment lists the variables that choose a point; a persister process needs them too.
func Environment() []string { return []string{"FAILPOINT", "FAILPOINT_ONCE", "FAILPOINT_STALL"} }

// Hit kills the process without any clean-up when the variable FAILPOINT names this place ("name", or "name:N" for the
// Nth time), or stalls it for FAILPOINT_STALL (a duration) where that is set. FAILPOINT_ONCE names a file that is made
// then; while it exists nothing happens, so that a process that is started again lives on.
func Hit(name string) {
	want, nth, counted := strings.Cut(os.Getenv("FAILPOINT"), ":")
	if want != name {
		return
	}
	n := int64(1)
	if counted {
		n, _ = strconv.ParseInt(nth, 10, 64)
	}
	if hits.Add(1) != n || !first(os.Getenv("FAILPOINT_ONCE")) {
		return
	}
	if d, err := time.ParseDuration(os.Getenv("FAILPOINT_STALL")); err == nil {
		time.Sleep(d)
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// first makes the marker file and tells whether it was not there yet.
func first(marker string) bool {
	if marker == "" {
		return true
	}
	f, err := os.OpenFile(marker, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	return f.Close() == nil
}
