package sqlstore

import (
	"context"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
)

// rehashLimit bounds one renewal of a hash.
const rehashLimit = 10 * time.Second

// rehasher renews hashes behind the answers to logins, one at a time: logins need the cores more.
type rehasher struct {
	ctx  context.Context
	busy chan struct{}
	// close waits for the renewal under way; no other begins.
	close func()
}

func newRehasher() *rehasher {
	ctx, stop := context.WithCancel(context.Background())
	r := &rehasher{ctx: ctx, busy: make(chan struct{}, 1)}
	r.close = sync.OnceFunc(func() {
		stop()
		r.busy <- struct{}{}
	})
	return r
}

// rehash gives an account whose password is right, and whose stored hash costs something else than new ones do, a hash
// of today's cost. It returns at once. What fails, or finds another renewal under way, is left to the next login.
func (s *Store) rehash(id plugin.ID, stored string, p plugin.Secret) {
	select {
	case s.rehasher.busy <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-s.rehasher.busy }()
		ctx, cancel := context.WithTimeout(s.rehasher.ctx, rehashLimit)
		defer cancel()
		hash, err := s.hasher.hash(ctx, p)
		if err != nil {
			return
		}
		s.hook("sqlstore.rehash.hashed")
		// Only what was verified is replaced: the password may have been changed meanwhile.
		_, _ = s.write(ctx, `UPDATE accounts SET password = $3 WHERE id = $1 AND password = $2`, string(id), stored, hash)
	}()
}
