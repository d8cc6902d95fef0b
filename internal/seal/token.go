package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// halfBytes is the length of each half of a token.
const halfBytes = 16

// ErrToken is what ParseToken returns for everything that is no token.
var ErrToken = errors.New("not a token")

// Token is 256 random bits that open one row: one half finds it, the other is part of the key it is sealed under.
type Token struct{ locator, opener [halfBytes]byte }

// NewToken draws a token.
func NewToken() (Token, error) {
	var t Token
	if _, err := rand.Read(t.locator[:]); err != nil {
		return Token{}, fmt.Errorf("draw a token: %w", err)
	}
	if _, err := rand.Read(t.opener[:]); err != nil {
		return Token{}, fmt.Errorf("draw a token: %w", err)
	}
	return t, nil
}

// tokenText is base64url without padding (RFC 4648, section 5) that refuses every second spelling of the same bits.
var tokenText = base64.RawURLEncoding.Strict()

// ParseToken reads the text form. Only the one text that Text returns is accepted.
func ParseToken(text string) (Token, error) {
	if len(text) != tokenText.EncodedLen(2*halfBytes) {
		return Token{}, ErrToken
	}
	b, err := tokenText.DecodeString(text)
	if err != nil || len(b) != 2*halfBytes {
		return Token{}, ErrToken
	}
	var t Token
	copy(t.locator[:], b)
	copy(t.opener[:], b[halfBytes:])
	return t, nil
}

// Text returns the token as its client carries it: 43 characters of base64url. It is a secret.
func (t Token) Text() string {
	return tokenText.EncodeToString(append(append([]byte{}, t.locator[:]...), t.opener[:]...))
}

// Locator returns what the row is stored under: SHA-256 of the locating half.
func (t Token) Locator() []byte {
	sum := sha256.Sum256(t.locator[:])
	return sum[:]
}

// Opener returns the half that is part of the row's key.
func (t Token) Opener() []byte { return t.opener[:] }

// String keeps a token from being printed by accident.
func (Token) String() string { return "[token]" }

// GoString keeps a token from being printed by accident.
func (Token) GoString() string { return "[token]" }
