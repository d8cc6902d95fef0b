package sqlstore

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	// ballast is memory that is allocated, never touched and so never there: it only counts.
	ballast = 512 << 20
	// ballastPart is the size of its parts: one of them may have to be cleared, if it lies where something was before.
	ballastPart = 32 << 20
	// leastKept: hashes that take less than this together need no memory of their own.
	leastKept = 16 << 20
	// yard is the place of everything small: below the hashes, and too small for one of them.
	yard = 8 << 20
	// memoryRest is after how long without a hash the memory of hashes is given back.
	memoryRest = time.Minute
)

// kept is what a process holds that keeps the memory of hashes.
var kept struct {
	ballast [][]byte
	rest    atomic.Pointer[time.Timer]
}

// KeepMemory is for a process that does little but hash at a cost: it uses the memory of one hash for the next. Go's
// collector lets the heap grow by a share of what is in use when it looks, which is one hash's memory at one time and that
// of many at another, and gives back to the system what is beyond that. Page by page it has to be got again: some hundred
// pages for each hash. Among much memory that is never touched, hashes that come and go change little: the heap has room
// for about twice the hashes that run at once, and nothing is given back until a minute has passed without one. What is
// small gets a place of its own, because the allocator puts it at the lowest address that is free: in the place of a hash
// that has ended, where the next one does not fit any more. Where memory that is not there counts against a limit, nothing
// is done.
func KeepMemory(cost Hash) {
	if cost == (Hash{}) {
		cost = DefaultHash
	}
	running := runtime.GOMAXPROCS(0) * int(cost.Memory) << 10
	if running < leastKept || !mayReserve() {
		return
	}
	small := make([]byte, yard) // comes first, and so lies lowest
	if !untouched(small) {
		return
	}
	for range ballast / ballastPart {
		part := make([]byte, ballastPart)
		kept.ballast = append(kept.ballast, part)
		if !untouched(part) {
			kept.ballast = nil
			return
		}
	}
	runtime.KeepAlive(small)
	runtime.GC() // from now on the yard is free
	debug.SetGCPercent((100*running-1)/(ballast+running) + 1)
	kept.rest.Store(time.AfterFunc(memoryRest, debug.FreeOSMemory))
}

// hashed notes that the memory of hashes was needed just now.
func hashed() {
	if rest := kept.rest.Load(); rest != nil {
		rest.Reset(memoryRest)
	}
}
