package directory

import (
	"context"
	"errors"
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
	writer  *endpoint
	binds   *endpoint // for passwords of others: nothing else is ever sent there
	readers []*endpoint

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
		p.readers = append(p.readers, newEndpoint(settings, to, settings.dial))
	}
	return p, nil
}

// Close ends all connections that are not in use; those that are end with their requests. Later calls are ErrUnreachable.
func (p *Pool) Close() {
	p.writer.close()
	p.binds.close()
	for _, r := range p.readers {
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

// Readers are the Operations with look-ups at the first reader that answers, and at the writer when none does. A reader may lag
// behind: who must see a write reads from the Pool itself.
func (p *Pool) Readers() Operations {
	if len(p.readers) == 0 {
		return p
	}
	return requests{lookups{p}}
}

// lookups is a runner that sends repeatable requests to the readers.
type lookups struct{ *Pool }

func (l lookups) run(ctx context.Context, operation string, repeatable bool, send func(*ldap.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, l.writer.settings.RequestTimeout)
	defer cancel()
	if repeatable {
		for _, reader := range l.readers {
			err := halfTheTime(ctx, func(ctx context.Context) error { return reader.run(ctx, operation, true, send) })
			if !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrUnanswered) || ctx.Err() != nil {
				return err
			}
		}
	}
	return l.Pool.run(ctx, operation, repeatable, send)
}

// halfTheTime keeps the rest for whoever is asked next.
func halfTheTime(ctx context.Context, try func(context.Context) error) error {
	end, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(end)/2)
	defer cancel()
	return try(ctx)
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
