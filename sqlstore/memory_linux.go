//go:build !race

package sqlstore

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mayReserve tells whether memory that is never touched costs nothing here: a kernel that never overcommits counts it
// (proc_sys_vm(5), overcommit_memory), and so do the limits of a process (setrlimit(2)).
func mayReserve() bool {
	mode, err := os.ReadFile("/proc/sys/vm/overcommit_memory")
	if err != nil || strings.TrimSpace(string(mode)) == "2" {
		return false
	}
	for _, resource := range []int{unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		var limit unix.Rlimit
		if err := unix.Getrlimit(resource, &limit); err != nil || limit.Cur != unix.RLIM_INFINITY {
			return false
		}
	}
	return true
}

// untouched gives back what was touched of a part, and tells whether that can be done. What is read there is still zero.
func untouched(part []byte) bool { return unix.Madvise(part, unix.MADV_DONTNEED) == nil }
