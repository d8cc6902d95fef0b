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

// errHalf is a half that no token has.
var errHalf = fmt.Errorf("the client's half of a key must have %d bytes", halfBytes)

// Seal encrypts clear (AES-256-GCM) for one purpose. half is what the client holds of the key, a token's Opener; nil seals
// for the server, which can then open it alone, and nothing but nil does. context is bound to the text: it opens only with
// the same one. The text begins with the id of its key.
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
	if len(sealed) < idBytes {
		return nil, ErrSealed
	}
	id, rest := sealed[:idBytes], sealed[idBytes:]
	for _, k := range r.keys {
		if subtle.ConstantTimeCompare(id, k.id[:]) != 1 {
			continue
		}
		box, err := newBox(k, purpose, half)
		if err != nil {
			return nil, err
		}
		if len(rest) < box.NonceSize() {
			return nil, ErrSealed
		}
		clear, err := box.Open(nil, rest[:box.NonceSize()], rest[box.NonceSize():], []byte(context))
		if err == nil {
			return clear, nil
		} // an id is short: another key may share it
	}
	return nil, ErrSealed
}

// newBox makes the cipher for one purpose and reader. The reader is part of the purpose: HMAC fills short keys up with
// zeros, so a half of zeros would otherwise give the server's own key.
func newBox(k key, purpose string, half []byte) (cipher.AEAD, error) {
	reader := "client:"
	if half == nil {
		reader = "server:"
	} else if len(half) != halfBytes {
		return nil, errHalf
	}
	derived, err := derive(k.master, "seal:"+reader+purpose, half)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return cipher.NewGCM(block)
}
