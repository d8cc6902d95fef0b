package seal

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Add returns the secret with a new key at its end: nobody seals with it yet, but whoever has this secret can open what
// others seal with it.
func Add(secret string) (string, error) {
	keys, err := lines(secret)
	if err != nil {
		return "", err
	}
	fresh := make([]byte, keyBytes)
	if _, err := rand.Read(fresh); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return join(append(keys, hex.EncodeToString(fresh)))
}

// Promote returns the secret with its last key in front: the newest becomes the current one.
func Promote(secret string) (string, error) {
	keys, err := lines(secret)
	if err != nil {
		return "", err
	}
	last := len(keys) - 1
	return join(append([]string{keys[last]}, keys[:last]...))
}

// Retire returns the secret with its current key alone: what the others have sealed cannot be opened any more.
func Retire(secret string) (string, error) {
	keys, err := lines(secret)
	if err != nil {
		return "", err
	}
	return join(keys[:1])
}

// lines are the keys of a secret that NewKeyring takes.
func lines(secret string) ([]string, error) {
	if _, err := NewKeyring(secret); err != nil {
		return nil, err
	}
	return slices.Clip(strings.Fields(secret)), nil
}

func join(keys []string) (string, error) {
	secret := strings.Join(keys, "\n")
	_, err := NewKeyring(secret)
	return secret, err
}
