package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SecretFile returns the file that the secret stands in, or an error that says what to do when it stands in none.
func (s *Settings) SecretFile(environ func(string) (string, bool)) (string, error) {
	if path, set := environ("NARTHEX_SECRET_FILE"); set {
		return path, nil
	}
	if _, set := environ("NARTHEX_SECRET"); set {
		return "", errors.New("NARTHEX_SECRET holds the keys themselves, and no command can change a variable: put them into a file that NARTHEX_SECRET_FILE names, or change the variable by hand")
	}
	path := filepath.Join(s.DataDir, secretName)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("there is no secret yet: it is made when narthex first starts with the data directory %s", s.DataDir)
		}
		return "", err
	}
	return path, nil
}

// ReplaceSecretFile puts another secret into a file, whole or not at all, and keeps the file's owner and rights. Links
// are followed: what they lead to is replaced.
func ReplaceSecretFile(path, secret string) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return fmt.Errorf("replace the secret: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("replace the secret: %w", err)
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".secret-*")
	if err != nil {
		return fmt.Errorf("replace the secret: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.WriteString(secret + "\n")
	if err = errors.Join(err, tmp.Chmod(info.Mode().Perm()), keepOwner(tmp, info), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("replace the secret: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("replace the secret: %w", err)
	}
	return syncDir(dir)
}

// keepOwner gives a file to whom another one belongs, if that is somebody else.
func keepOwner(f *os.File, like fs.FileInfo) error {
	uid, gid, known := owner(like)
	if !known || uid == os.Geteuid() && gid == os.Getegid() {
		return nil
	}
	return f.Chown(uid, gid)
}
