package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// secretName is the file in the data directory that keeps a secret nobody has set.
const secretName = "secret"

// LoadSecret returns the secret: the one that is set, or the one in the data directory, made at the first start.
func (s *Settings) LoadSecret() (string, error) {
	if s.Secret.Reveal() != "" {
		return s.Secret.Reveal(), nil
	}
	path := filepath.Join(s.DataDir, secretName)
	secret, err := ReadSecretFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(s.DataDir, path)
	}
	if err != nil {
		return "", fmt.Errorf("read the secret %s: %w", path, err)
	}
	return secret, nil
}

// makeSecret writes a new key so that it is there whole or not at all, and never replaces another.
func makeSecret(dir, path string) (string, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	secret := hex.EncodeToString(key)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // only its other name stays
	if _, err := tmp.WriteString(secret + "\n"); err != nil {
		return "", errors.Join(fmt.Errorf("make a secret: %w", err), tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	// A link fails where a rename would replace: of two processes that start at once, one wins.
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return ReadSecretFile(path)
	} else if err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return secret, syncDir(dir)
}

// syncDir makes a new name in a folder survive a power failure: the state database soon names this key as its own.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("make a secret: %w", err)
	}
	return nil
}
