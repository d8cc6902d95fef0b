package testenv

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// serviceUser returns who a server runs as: nil for ourselves, unless we are root.
func serviceUser(name string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	if errUID != nil || errGID != nil {
		return nil, fmt.Errorf("user %s has no numbers", name)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// startDying starts a process that dies with this one. The signal comes when the starting thread ends, so that thread
// lives on.
func startDying(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	onLastingThread(func() { started <- cmd.Start() })
	return <-started
}

// freePort returns a port that nobody uses right now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

var (
	lasting     sync.Once
	lastingWork = make(chan func())
)

// onLastingThread runs f on a thread that lives as long as this process.
func onLastingThread(f func()) {
	lasting.Do(func() {
		go func() {
			runtime.LockOSThread()
			for work := range lastingWork {
				work()
			}
		}()
	})
	lastingWork <- f
}
