package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// keyBytes is the length of one key of the secret: 64 hexadecimal digits.
const keyBytes = 32

// idBytes is how much of a key's fingerprint stands in front of what it sealed.
const idBytes = 4

// Keyring holds the keys of NARTHEX_SECRET. The first is current: it seals and signs. The others only open and check,
// so that a key can be replaced without a registration lost.
type Keyring struct{ keys []key }

// key is one line of the secret. Only keys derived from it, one for each purpose, are ever used.
type key struct {
	master []byte
	id     [idBytes]byte
	print  string
}

// NewKeyring reads a secret: one key of 64 hexadecimal digits a line. The error never contains a key.
func NewKeyring(secret string) (*Keyring, error) {
	var ring Keyring
	for n, line := range strings.Fields(secret) {
		master, err := hex.DecodeString(line)
		if err != nil || len(master) != keyBytes {
			return nil, fmt.Errorf("key %d of the secret is not 64 hexadecimal digits", n+1)
		}
		if weak(master) {
			return nil, fmt.Errorf("key %d of the secret is not random: make one with 'openssl rand -hex 32'", n+1)
		}
		k := key{master: master}
		sum, err := derive(master, "fingerprint", nil)
		if err != nil {
			return nil, err
		}
		copy(k.id[:], sum)
		k.print = hex.EncodeToString(sum[:16])
		for _, other := range ring.keys {
			if other.print == k.print {
				return nil, fmt.Errorf("key %d of the secret stands there twice", n+1)
			}
		}
		ring.keys = append(ring.keys, k)
	}
	if len(ring.keys) == 0 {
		return nil, errors.New("the secret has no key: make one with 'openssl rand -hex 32'")
	}
	return &ring, nil
}

// weak finds keys that nobody drew at random: fewer different bytes than chance would ever give.
func weak(master []byte) bool {
	seen := map[byte]bool{}
	for _, b := range master {
		seen[b] = true
	}
	return len(seen) < 12
}

// Fingerprints names the keys, the current one first. A fingerprint tells nothing about its key.
func (r *Keyring) Fingerprints() []string {
	prints := make([]string, len(r.keys))
	for i, k := range r.keys {
		prints[i] = k.print
	}
	return prints
}

// MAC returns a keyed hash of parts under the current key. Different purposes give unrelated hashes, and no two lists of
// parts share one.
func (r *Keyring) MAC(purpose string, parts ...string) ([]byte, error) {
	return mac(r.keys[0], purpose, parts)
}

// CheckMAC tells, in constant time, whether sum is a MAC of parts under any key of the ring.
func (r *Keyring) CheckMAC(sum []byte, purpose string, parts ...string) (bool, error) {
	found := false
	for _, k := range r.keys {
		want, err := mac(k, purpose, parts)
		if err != nil {
			return false, err
		}
		found = hmac.Equal(sum, want) || found
	}
	return found, nil
}

// LogKey is what logs show in place of an address or a name: the same for the same text, and nothing without the secret.
func (r *Keyring) LogKey(text string) (string, error) {
	sum, err := r.MAC("log", text)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum[:8]), nil
}

func mac(k key, purpose string, parts []string) ([]byte, error) {
	derived, err := derive(k.master, "mac:"+purpose, nil)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, derived)
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return h.Sum(nil), nil
}

// derive makes the key for one purpose (RFC 5869). half is the part that the client holds, or nil.
func derive(master []byte, purpose string, half []byte) ([]byte, error) {
	derived, err := hkdf.Key(sha256.New, master, half, "narthex:"+purpose, keyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return derived, nil
}
