package main

import (
	"crypto/rand"
	"crypto/subtle"

	"golang.org/x/crypto/argon2"

	"github.com/narthex/narthex/plugin"
)

// cost is what a hash with argon2id (RFC 9106) takes.
type cost struct {
	MemoryKiB uint32 `yaml:"memory_kib"`
	Passes    uint32 `yaml:"passes"`
}

// password is a hash, with what it takes to repeat it. One without a tag is nobody's.
type password struct {
	Cost      cost
	Salt, Tag []byte
}

func (c cost) hash(p plugin.Secret) password {
	if p.Empty() {
		return password{Cost: c}
	}
	salt := []byte(rand.Text())
	return password{c, salt, c.tag(p, salt)}
}

func (c cost) tag(p plugin.Secret, salt []byte) []byte {
	return argon2.IDKey([]byte(p.Reveal()), salt, max(c.Passes, 1), c.MemoryKiB, 1, 32)
}

// is takes as long when there is no tag, so that nobody learns from the clock who has an account.
func (w password) is(p plugin.Secret) bool {
	return subtle.ConstantTimeCompare(w.Cost.tag(p, w.Salt), w.Tag) == 1
}
