package flow

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/narthex/narthex/plugin"
)

// newAttempt draws the id of an attempt.
func newAttempt() plugin.Attempt { return plugin.Attempt(randomID()) }

// randomID returns 128 random bits in hexadecimal digits.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
