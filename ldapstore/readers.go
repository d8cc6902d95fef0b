package ldapstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
)

// How old an answer of a reader may be. Whether one keeps up is looked at while it is asked, every readerCheck; one that
// lags by more than readerLag is not asked. An account that this process has changed is read at the writer for longer than
// all of that.
const (
	readerLag   = time.Minute
	readerCheck = 15 * time.Second
	pinned      = 2 * time.Minute
	// lagCheck is how often a reader is looked at that does not keep up.
	lagCheck = time.Second
	// readerPatience is the most that a caller waits for a reader before the writer is asked.
	readerPatience = 2 * time.Second
)

// readers choose who answers a look-up. The answer of a reader counts where it can only be too old, by no more than readerLag:
// somebody whose claim is held and whose entry agrees. All else is the writer's to answer.
type readers struct {
	claims   *claim.Store
	replicas []*reader
	next     atomic.Uint32
	pins     pins

	mu       sync.Mutex
	checked  time.Time
	checking bool
	newest   time.Time // the newest pulse that the writer is known to have
	running  sync.WaitGroup
	life     context.Context // until close
	end      context.CancelFunc
}

// reader is a replica, and whether it was found to keep up.
type reader struct {
	*directory.Replica
	ops     directory.Operations // with the hook of tests
	keepsUp bool
}

// newReaders does without a hook where there is none.
func newReaders(pool *directory.Pool, claims *claim.Store, hook directory.Hook) *readers {
	r := &readers{claims: claims}
	r.life, r.end = context.WithCancel(context.Background())
	for _, replica := range pool.Replicas() {
		one := &reader{Replica: replica, ops: replica}
		if hook != nil {
			one.ops = directory.WithHook(replica, hook)
		}
		r.replicas = append(r.replicas, one)
	}
	return r
}

// choose returns a reader that may be asked now, or nil.
func (r *readers) choose() *reader {
	r.look()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.replicas) == 0 || r.claims.Clock().Sub(r.checked) > 2*readerCheck {
		return nil
	}
	first := int(r.next.Add(1))
	for i := range r.replicas {
		if one := r.replicas[(first+i)%len(r.replicas)]; one.keepsUp && one.Awake() {
			return one
		}
	}
	return nil
}

// look sees in the background whether the readers keep up, when it is time to.
func (r *readers) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := readerCheck
	for _, one := range r.replicas {
		if !one.keepsUp {
			wait = lagCheck
		}
	}
	if len(r.replicas) == 0 || r.checking || r.claims.Clock().Sub(r.checked) < wait {
		return
	}
	r.checking = true
	ctx, cancel := context.WithTimeout(r.life, readerCheck)
	r.running.Go(func() {
		defer cancel()
		r.check(ctx)
	})
}

// close ends what goes on in the background.
func (r *readers) close() {
	r.end()
	r.running.Wait()
}

// check lets the writer's pulse beat and looks which readers have it. While the writer is down nothing there grows older.
func (r *readers) check(ctx context.Context) {
	pulse, err := r.claims.Pulse(ctx, readerCheck)
	if err != nil && r.life.Err() == nil {
		r.claims.Log.WarnContext(ctx, "whether readers keep up cannot be seen at the writer", "error", err)
	}
	r.mu.Lock()
	if pulse.After(r.newest) {
		r.newest = pulse
	}
	newest := r.newest
	r.mu.Unlock()
	keepUp := make([]bool, len(r.replicas))
	var all sync.WaitGroup
	for i, one := range r.replicas {
		if !one.Awake() || newest.IsZero() {
			continue
		}
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, readerPatience)
			defer cancel()
			there, err := r.claims.PulseAt(ctx, one.ops)
			keepUp[i] = err == nil && newest.Sub(there) <= readerLag
		})
	}
	all.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked, r.checking = r.claims.Clock(), false
	for i, one := range r.replicas {
		if one.keepsUp && !keepUp[i] && r.life.Err() == nil {
			r.claims.Log.WarnContext(ctx, "a reader does not answer or does not keep up: it is not asked", "reader", i+1)
		}
		one.keepsUp = keepUp[i]
	}
}

// patience is how long a reader may take: whoever is asked next needs time, too.
func patience(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := readerPatience
	if end, limited := ctx.Deadline(); limited {
		limit = min(limit, time.Until(end)/3)
	}
	return context.WithTimeout(ctx, limit)
}
