package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
)

// ErrSealed is what Open returns for anything it cannot open: another key, another half, another purpose or context, or
// a text that was changed.
var ErrSealed = errors.New("sealed text cannot be opened")

// Seal encrypts clear (AES-256-GCM) for one purpose. half is what the client holds of the key; nil seals for the server,
// which can then open it alone. context is bound to the text: it opens only with the same one.
// The text begins with the id of its key.
func (r *Keyring) Seal(purpose string, half []byte, context string, clear []byte) ([]byte, error) {
	k := r.keys[0]
	box, err := newBox(k, purpose, half)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	out := append(append([]byte{}, k.id[:]...), nonce...)
	return box.Seal(out, nonce, clear, []byte(context)), nil
}

// Open decrypts what Seal made with the same purpose, half and context, under any key of the ring.
func (r *Keyring) Open(purpose string, half []byte, context string, sealed []byte) ([]byte, error) {
	for _, k := range r.keys {
		if len(sealed) < idBytes || subtle.ConstantTimeCompare(sealed[:idBytes], k.id[:]) != 1 {
			continue
		}
		box, err := newBox(k, purpose, half)
		if err != nil {
			return nil, err
		}
		rest := sealed[idBytes:]
		if len(rest) < box.NonceSize() {
			return nil, ErrSealed
		}
		clear, err := box.Open(nil, rest[:box.NonceSize()], rest[box.NonceSize():], []byte(context))
		if err != nil {
			return nil, ErrSealed
		}
		return clear, nil
	}
	return nil, ErrSealed
}

func newBox(k key, purpose string, half []byte) (cipher.AEAD, error) {
	derived, err := derive(k.master, "seal:"+purpose, half)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return cipher.NewGCM(block)
}
