package timerslack

import (
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// Slack is by how much the kernel may put off the timers of a program that is relaxed, and those of its children.
	Slack = time.Millisecond
	// kernelsSlack is what processes have that never asked (prctl(2), PR_SET_TIMERSLACK).
	kernelsSlack = 50 * time.Microsecond
)

// Relax gives the program its Slack, by starting it anew: a thread inherits what it has, and Go's scheduler has a thread of
// its own before any code of ours. That one looks around every 20 µs while anything goes on, and half of all switches
// between processes were its. A slack that somebody has chosen is left alone. Where it cannot be had, everything works as
// well, and is a little slower. It is to be called before anything else.
func Relax() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0); err != nil || time.Duration(slack) != kernelsSlack {
		return
	}
	program, err := os.Executable()
	if err != nil {
		return
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(Slack), 0, 0, 0); err != nil {
		return
	}
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(slack) == kernelsSlack {
		return // it would start anew for ever
	}
	_ = unix.Exec(program, os.Args, os.Environ())
}
