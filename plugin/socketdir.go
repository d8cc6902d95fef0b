package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// socketDir is a directory of one host's own, mode 0700, in which go-plugin makes one directory for each start. A lock
// that the host holds while it lives tells others, after a crash, that the directory is stale.
type socketDir struct {
	path string
	lock *os.File
}

const (
	socketDirPrefix = "narthex-sock"
	lockName        = ".host"
	// maxSocketParent keeps the paths of sockets within the 107 bytes that the kernel takes.
	maxSocketParent = 107 - len("/narthex-sock0123456789/plugin-dir0123456789/plugin0123456789")
)

// newSocketDir sweeps what hosts that are gone have left in parent, and makes a directory there.
func newSocketDir(parent string) (*socketDir, error) {
	if parent == "" {
		parent = os.TempDir()
		if len(parent) > maxSocketParent {
			parent = "/tmp" // TMPDIR is too long for a socket; where there is no /tmp either, the error says so
		}
	}
	if len(parent) > maxSocketParent {
		return nil, fmt.Errorf("the directory for sockets has more than %d bytes: %q", maxSocketParent, parent)
	}
	sweepSocketDirs(parent)
	for range 10 {
		path, err := os.MkdirTemp(parent, socketDirPrefix)
		if err != nil {
			return nil, fmt.Errorf("make directory for sockets: %w", err)
		}
		lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			continue // another host's sweep was quicker
		}
		if tryLock(lock) == nil && sameFile(lock) {
			return &socketDir{path, lock}, nil
		}
		_ = lock.Close()
	}
	return nil, errors.New("make directory for sockets: others keep removing it")
}

// remove gives the directory up.
func (d *socketDir) remove() {
	_ = os.RemoveAll(d.path)
	_ = d.lock.Close()
}

// abandonedAfter is how old a directory without a lock must be to be swept: its host may just be making one.
const abandonedAfter = time.Minute

// sweepSocketDirs removes directories of ours whose host is gone. It is a courtesy: what fails is left alone.
func sweepSocketDirs(parent string) {
	found, err := filepath.Glob(filepath.Join(parent, socketDirPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range found {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 || !onlyOurs(path) {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
		if err != nil {
			if errors.Is(err, os.ErrNotExist) && time.Since(info.ModTime()) > abandonedAfter {
				_ = os.RemoveAll(path)
			}
			continue
		}
		if tryLock(lock) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}

// onlyOurs tells whether nothing but the lock and go-plugin's directories lies there: others may use the prefix as well.
func onlyOurs(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if ok, _ := filepath.Match("plugin-dir*", e.Name()); !ok && e.Name() != lockName {
			return false
		}
	}
	return true
}

func tryLock(file *os.File) error {
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// sameFile tells whether an open file is still what its path names.
func sameFile(file *os.File) bool {
	open, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(file.Name())
	return err == nil && os.SameFile(open, named)
}
