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

// hits counts how often the chosen point has been reached.
var hits atomic.Int64

// Hit kills the process without any clean-up when the variable FAILPOINT names this place ("name" or "name:N" for the
// Nth time), and stalls it for FAILPOINT_STALL (a duration) instead where that is set.
func Hit(name string) {
	want, nth, counted := strings.Cut(os.Getenv("FAILPOINT"), ":")
	if want != name {
		return
	}
	n := int64(1)
	if counted {
		n, _ = strconv.ParseInt(nth, 10, 64)
	}
	if hits.Add(1) != n {
		return
	}
	if d, err := time.ParseDuration(os.Getenv("FAILPOINT_STALL")); err == nil {
		time.Sleep(d)
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
