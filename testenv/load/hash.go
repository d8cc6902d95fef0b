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
	perSecond float64
	cpu       time.Duration // of one hash
}

// part tells how much of the CPU of one hash something takes.
func (b bare) part(cpu time.Duration) string {
	return fmt.Sprintf("%.0f %%", 100*cpu.Seconds()/b.cpu.Seconds())
}

// hashes measures argon2id at the default cost, one worker for each core.
func (r *run) hashes() bare {
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // memory that is used again is the quickest
	h := sqlstore.DefaultHash
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	var count atomic.Int64
	var workers sync.WaitGroup
	begin, used, end := time.Now(), ownCPU(), time.Now().Add(r.span/2)
	for range runtime.NumCPU() {
		workers.Go(func() {
			for time.Now().Before(end) {
				argon2.IDKey([]byte("a long and private sentence"), salt, h.Time, h.Memory, h.Threads, 32)
				count.Add(1)
			}
		})
	}
	workers.Wait()
	n := count.Load()
	return bare{float64(n) / time.Since(begin).Seconds(), (ownCPU() - used) / time.Duration(n)}
}
