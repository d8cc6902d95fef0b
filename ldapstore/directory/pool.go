package directory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// describedFor is how long what a server tells about itself is believed.
const describedFor = 10 * time.Minute

// Pool sends the service account's requests to the one writer, over connections that are made when needed, kept while they
// are healthy and replaced when they are not. It is safe for use by many goroutines.
type Pool struct {
	requests
	writer   *endpoint
	binds    *endpoint // for passwords of others: nothing else is ever sent there
	replicas []*Replica

	server cached[Server]
	schema cached[*Schema]
}

var (
	_ Operations = (*Pool)(nil)
	_ Operations = requests{}
	_ Operations = hooked{}
)

// Open reads the settings. It connects to nothing: a directory that is down now may be up at the first request.
func Open(settings Settings) (*Pool, error) {
	settings = settings.withDefaults()
	if settings.BindDN != "" && settings.Password == "" {
		return nil, fmt.Errorf("the service account: %w", ErrEmptyPassword)
	}
	to, err := settings.target(settings.URL)
	if err != nil {
		return nil, err
	}
	p := &Pool{
		writer: newEndpoint(settings, to, settings.dial),
		binds:  newEndpoint(settings, to, settings.connect),
	}
	p.requests = requests{p}
	for _, reader := range settings.Readers {
		to, err := settings.target(reader)
		if err != nil {
			return nil, err
		}
		p.replicas = append(p.replicas, newReplica(p, settings, to))
	}
	return p, nil
}

// Close ends all connections that are not in use; those that are end with their requests. Later calls are ErrUnreachable.
func (p *Pool) Close() {
	p.writer.close()
	p.binds.close()
	for _, r := range p.replicas {
		r.close()
	}
}

func (p *Pool) run(ctx context.Context, operation string, repeatable bool, send func(*ldap.Conn) error) error {
	return p.writer.run(ctx, operation, repeatable, send)
}

// Server tells what the writer is and can. It is asked anew after ten minutes.
func (p *Pool) Server(ctx context.Context) (Server, error) {
	return p.server.get(ctx, func(ctx context.Context) (Server, error) { return readServer(ctx, p.requests) })
}

// cached holds something that a server tells about itself.
type cached[T any] struct {
	mu    sync.Mutex
	value T
	until time.Time
}

// get returns the value, or has it read. Two calls at once may both read it.
func (c *cached[T]) get(ctx context.Context, read func(context.Context) (T, error)) (T, error) {
	c.mu.Lock()
	value, fresh := c.value, time.Now().Before(c.until)
	c.mu.Unlock()
	if fresh {
		return value, nil
	}
	value, err := read(ctx)
	if err != nil {
		return value, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.value, c.until = value, time.Now().Add(describedFor)
	return value, nil
}

// last returns the value that was read last, however long ago.
func (c *cached[T]) last() (value T, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value, !c.until.IsZero()
}
