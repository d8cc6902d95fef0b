package login

import (
	"context"
	"sync"
)

// lane is how many tries of one name a process judges at the same time. A try counts as a failure until it is judged, so
// without it the sixth of several right logins at once would be told to wait for failures that never happened. Two
// replicas together stay below the free failures.
const lane = 2

// lanes let the tries of one name wait for one another.
type lanes struct {
	mu   sync.Mutex
	open map[string]*tries
}

// tries are those of one name that are judged or wait.
type tries struct {
	judged chan struct{}
	users  int
}

// enter waits until a try of name may be judged; leave must be called when it was. The error is that of ctx.
func (l *lanes) enter(ctx context.Context, name string) (leave func(), err error) {
	own := l.join(name)
	select {
	case own.judged <- struct{}{}:
		return func() {
			<-own.judged
			l.leave(name, own)
		}, nil
	case <-ctx.Done():
		l.leave(name, own)
		return nil, ctx.Err()
	}
}

func (l *lanes) join(name string) *tries {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[string]*tries{}
	}
	own := l.open[name]
	if own == nil {
		own = &tries{judged: make(chan struct{}, lane)}
		l.open[name] = own
	}
	own.users++
	return own
}

func (l *lanes) leave(name string, own *tries) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(l.open, name)
	}
}
