package main

import (
	"crypto/rand"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/narthex/narthex/sqlstore"
)

// bare is what the machine can do when it does nothing but hash.
type bare struct {
	made
	cpu time.Duration // of all hashes
}

// and is both together.
func (b bare) and(o bare) bare {
	return bare{made{count: b.count + o.count, took: b.took + o.took}, b.cpu + o.cpu}
}

// each is the CPU of one hash.
func (b bare) each() time.Duration { return b.cpu / time.Duration(max(b.count, 1)) }

// part tells how much of the CPU of one hash something takes.
func (b bare) part(cpu time.Duration) string {
	return fmt.Sprintf("%.0f %%", 100*cpu.Seconds()/b.each().Seconds())
}

// hashes measures argon2id at the default cost, one worker for each core.
func (r *run) hashes(span time.Duration) bare {
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // memory that is used again is the quickest
	r.hashing(span / 8)                               // memory that was given back is got again
	begin, used := time.Now(), ownCPU()
	n := r.hashing(span)
	return bare{made{count: n, took: time.Since(begin)}, ownCPU() - used}
}

// hashing hashes for a while and returns how often.
func (r *run) hashing(span time.Duration) int {
	h := sqlstore.DefaultHash
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	var count atomic.Int64
	var workers sync.WaitGroup
	end := time.Now().Add(span)
	for range runtime.NumCPU() {
		workers.Go(func() {
			for time.Now().Before(end) {
				argon2.IDKey([]byte(password), salt, h.Time, h.Memory, h.Threads, 32)
				count.Add(1)
			}
		})
	}
	workers.Wait()
	return int(count.Load())
}
