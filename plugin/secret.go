package plugin

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
)

// redacted is what a Secret shows instead of itself.
const redacted = "[redacted]"

// Secret is a password in transit. It cannot be printed, logged or marshalled by accident; only Reveal gives it away.
// The zero Secret is empty. Secrets are compared with Equal and not with ==.
type Secret struct {
	// text is behind a pointer, because fmt calls no methods on a Secret in somebody's unexported field, but does not
	// follow pointers there either. Never points to "".
	text *string
}

// NewSecret wraps a clear text.
func NewSecret(clear string) Secret {
	if clear == "" {
		return Secret{}
	}
	return Secret{&clear}
}

// Reveal returns the clear text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty tells whether there is nothing in it.
func (s Secret) Empty() bool { return s.text == nil }

// Equal compares in constant time.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// String returns a fixed text.
func (Secret) String() string { return redacted }

// GoString returns a fixed text.
func (Secret) GoString() string { return redacted }

// Format writes a fixed text for every verb and flag.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns a fixed text.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText fails: a secret is carried by hand or not at all.
func (Secret) MarshalText() ([]byte, error) { return nil, errSecretMarshal }

// MarshalJSON fails: a secret is carried by hand or not at all.
func (Secret) MarshalJSON() ([]byte, error) { return nil, errSecretMarshal }

// MarshalBinary fails (gob, cbor): a secret is carried by hand or not at all.
func (Secret) MarshalBinary() ([]byte, error) { return nil, errSecretMarshal }

var errSecretMarshal = errors.New("a secret cannot be marshalled")
