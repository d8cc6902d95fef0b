package plugin

import (
	"os"
	"os/exec"
	"syscall"
)

// attachToParent makes the kernel end the process with the thread that started it, which must live as long, and puts it
// into a group of its own, so that a terminal's Ctrl-C reaches only the host.
func attachToParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// selfPath is this very program, even if its file has been replaced by an upgrade since.
func selfPath() (string, error) { return "/proc/self/exe", nil }

// execFile makes cmd execute what the descriptor holds. The descriptor is inherited as number 3, which also serves
// scripts: their interpreter opens the same path once more.
func execFile(cmd *exec.Cmd, file *os.File) {
	cmd.ExtraFiles = []*os.File{file}
	cmd.Path = "/proc/self/fd/3"
}
