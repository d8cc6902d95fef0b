package testenv_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// holdDirectories is a variable that makes this program start all directory servers, say so and wait for its end.
const holdDirectories = "TESTENV_HOLD_DIRECTORIES"

func hold(t testing.TB) {
	for _, kind := range testenv.Directories() {
		fmt.Println(strings.TrimPrefix(kind.Start(t).URL, "ldaps://"))
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestDirectoryServersDieWithTheirProcess(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temporary, err := os.MkdirTemp("", "nx-hold-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil { // the servers' own users go through it
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), holdDirectories+"=1", "TMPDIR="+temporary)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addresses []string
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && lines.Text() != "ready" {
		addresses = append(addresses, lines.Text())
	}
	servers := descendants(cmd.Process.Pid)
	if len(addresses) != len(testenv.Directories()) || len(servers) < len(addresses) {
		t.Fatalf("it started %v: processes %v", addresses, servers)
	}

	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for _, pid := range servers {
		for syscall.Kill(pid, 0) == nil && !zombie(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d lives on", pid)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	for _, address := range addresses {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			t.Errorf("somebody listens at %s", address)
		}
	}
}

// descendants returns the processes below one.
func descendants(pid int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	parents := map[int]int{}
	for _, path := range stats {
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields := afterName(child); len(fields) > 1 {
			parents[child], _ = strconv.Atoi(fields[1])
		}
	}
	below := []int{pid}
	for i := 0; i < len(below); i++ {
		for child, parent := range parents {
			if parent == below[i] {
				below = append(below, child)
			}
		}
	}
	return below[1:]
}

func zombie(pid int) bool {
	fields := afterName(pid)
	return len(fields) > 0 && fields[0] == "Z"
}

// afterName is what /proc tells about a process, from its state on.
func afterName(pid int) []string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
}
