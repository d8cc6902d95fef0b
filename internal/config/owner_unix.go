//go:build unix

package config

import (
	"io/fs"
	"syscall"
)

// owner returns the numbers of a file's user and group.
func owner(info fs.FileInfo) (uid, gid int, known bool) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid), int(s.Gid), true
	}
	return 0, 0, false
}
