package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Replica is a server beside the writer that may be asked, and that may lag behind. It has the Operations, of which it
// refuses those that write (ErrUnsupported). One that does not answer is left alone for a while.
type Replica struct {
	requests
	pool  *Pool
	all   *endpoint
	binds *endpoint // as the pool's

	mu       sync.Mutex
	failures int
	until    time.Time // it rests until then
}

var _ Operations = (*Replica)(nil)

// How long a replica rests that did not answer: others wait for it no longer than once in that time.
const (
	firstRest   = time.Second
	longestRest = 30 * time.Second
)

func newReplica(p *Pool, settings Settings, to target) *Replica {
	r := &Replica{pool: p, all: newEndpoint(settings, to, settings.dial), binds: newEndpoint(settings, to, settings.connect)}
	r.requests = requests{r}
	return r
}

// Replicas are those of Settings.Readers, in their order.
func (p *Pool) Replicas() []*Replica { return p.replicas }

// Server tells what the writer is, or was when it was asked last: its replicas are alike, and are asked while it is down.
func (r *Replica) Server(ctx context.Context) (Server, error) {
	if server, known := r.pool.server.last(); known {
		return server, nil
	}
	return r.pool.Server(ctx)
}

// Awake tells whether the replica may be asked: it has answered last, or it has rested.
func (r *Replica) Awake() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !time.Now().Before(r.until)
}

func (r *Replica) run(ctx context.Context, operation string, repeatable bool, send func(*ldap.Conn) error) error {
	if !repeatable {
		return fmt.Errorf("%s at a replica: %w", operation, ErrUnsupported)
	}
	return r.note(r.all.run(ctx, operation, true, send))
}

// Authenticate asks the replica as Pool.Authenticate asks the writer. A password that has just been changed may be denied.
func (r *Replica) Authenticate(ctx context.Context, dn DN, password string) (Login, error) {
	login, err := authenticate(ctx, r.binds, r.Server, dn, password)
	return login, r.note(err)
}

// note lets a replica rest that has not answered. A caller who gave up early says nothing about it, but who waits for a
// server that hangs gives up by a deadline.
func (r *Replica) note(err error) error {
	failed := (errors.Is(err, ErrUnreachable) || errors.Is(err, ErrUnanswered)) && !errors.Is(err, context.Canceled)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !failed:
		if err == nil || Refused(err) {
			r.failures = 0
		}
	case !time.Now().Before(r.until): // those that fail together count once
		r.until = time.Now().Add(min(firstRest<<min(r.failures, 10), longestRest))
		r.failures++
	}
	return err
}

func (r *Replica) close() {
	r.all.close()
	r.binds.close()
}
