package message

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// purpose separates the outbox's keys from others.
const purpose = "outbox"

// Verification asks somebody to prove that a mailbox is theirs.
type Verification struct {
	// To is the address as it was entered: where the mail goes.
	To string `json:"to"`
	// Key is how a store finds the address.
	Key plugin.Key `json:"key"`
	// Stealth: whoever has the address already gets a notice instead of the code.
	Stealth bool `json:"stealth"`
	// Code is what proves it, until ExpiresAt.
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expires_at"`
	// Locale is the language wished for, as in Accept-Language (RFC 9110, section 12.5.4).
	Locale string `json:"locale"`
}

// Compose seals a message for the outbox: only the server can open it, and only as this message.
func (q *Queue) Compose(v Verification) (state.Message, error) {
	id, err := newID(q.cfg.Clock())
	if err != nil {
		return state.Message{}, err
	}
	clear, err := json.Marshal(v)
	if err != nil {
		return state.Message{}, fmt.Errorf("compose a message: %w", err)
	}
	sealed, err := q.cfg.Keys.Seal(purpose, nil, id, clear)
	if err != nil {
		return state.Message{}, fmt.Errorf("compose a message: %w", err)
	}
	return state.Message{ID: id, Sealed: sealed, ExpiresAt: v.ExpiresAt}, nil
}

// open reverses Compose.
func open(keys *seal.Keyring, m state.Message) (Verification, error) {
	clear, err := keys.Open(purpose, nil, m.ID, m.Sealed)
	if err != nil {
		return Verification{}, fmt.Errorf("open a message: %w", err)
	}
	var v Verification
	if err := json.Unmarshal(clear, &v); err != nil {
		return Verification{}, fmt.Errorf("open a message: %w", err)
	}
	return v, nil
}

// ComposedAt returns when the message of an id was composed; ids of another kind have no time.
func ComposedAt(id string) time.Time {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != 16 {
		return time.Time{}
	}
	var ms int64
	for _, octet := range b[:6] {
		ms = ms<<8 | int64(octet)
	}
	return time.UnixMilli(ms).UTC()
}

// newID draws an id whose order is that of time: 48 bits of milliseconds, 80 random ones.
func newID(now time.Time) (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b[6:]); err != nil {
		return "", fmt.Errorf("draw a message id: %w", err)
	}
	ms := now.UnixMilli()
	for i := range 6 {
		b[i] = byte(ms >> (8 * (5 - i)))
	}
	return hex.EncodeToString(b), nil
}
