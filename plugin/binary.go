package plugin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Checksum returns the SHA-256 of a file as [OpenConfig].SHA256 wants it.
func Checksum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	defer file.Close() //nolint:errcheck // read only
	sum, err := sumOf(file)
	return hex.EncodeToString(sum), err
}

func sumOf(file *os.File) ([]byte, error) {
	hash := sha256.New() // a fresh one each time: a used one would go on from the last file
	if _, err := io.Copy(hash, file); err != nil {
		return nil, fmt.Errorf("checksum: %w", err)
	}
	return hash.Sum(nil), nil
}

// openChecked opens an external binary and compares its checksum. The caller starts what the descriptor holds, so that
// nobody can put another file in its place between the check and the start, and closes it.
func openChecked(path, want string) (*os.File, error) {
	pinned, err := hex.DecodeString(want)
	if err != nil || len(pinned) != sha256.Size {
		return nil, errors.New("a persister given by path needs its SHA-256 (NARTHEX_PERSISTER_SHA256), 64 hexadecimal digits: sha256sum prints it")
	}
	if !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return nil, fmt.Errorf("the path of a persister is absolute and without detours, not %q", path)
	}
	// A link may lead to it: what it leads to is checked and started, and not the link.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, err
	}
	if err := refuseWritable(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	sum, err := sumOf(file)
	if err == nil && subtle.ConstantTimeCompare(sum, pinned) != 1 {
		err = fmt.Errorf("the SHA-256 of %q is %x and not the pinned one: if this is the version you want, set it (NARTHEX_PERSISTER_SHA256)", path, sum)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// refuseWritable refuses a program that other users of the machine could change or replace. Its checksum does not help
// against who may write into the very file, between the check and the start.
func refuseWritable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%q is not an executable file", path)
	}
	if who, fix := writers(info); who != "" {
		return fmt.Errorf("%q can be written by %s: chmod %s", path, who, fix)
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if who, fix := writers(info); who != "" && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("%s can replace files in %q: chmod %s", who, dir, fix)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// writers tells who besides the owner may write, and what chmod takes that away. A group is root's, or the owner's own
// (it has the owner's number, as useradd makes it), or one of other people.
func writers(info fs.FileInfo) (who, fix string) {
	const allWrite, groupWrite = 0o002, 0o020
	mode := info.Mode()
	if mode&allWrite != 0 {
		return "everybody", "o-w"
	}
	if owned, ok := info.Sys().(*syscall.Stat_t); ok && mode&groupWrite != 0 && owned.Gid != 0 && owned.Gid != owned.Uid {
		return fmt.Sprintf("group %d", owned.Gid), "g-w"
	}
	return "", ""
}
