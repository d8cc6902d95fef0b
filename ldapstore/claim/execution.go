package claim

import (
	"fmt"
	"sync"

	"github.com/narthex/narthex/plugin"
)

// Execution is one run of an attempt in this process, from before it looks at anything: what holds no claim yet leaves no
// trace in a directory, so Resolve must find it here.
type Execution struct {
	all     *executions
	attempt plugin.Attempt

	mu        sync.Mutex
	powerless bool
}

// executions are those under way in this process.
type executions struct {
	mu  sync.Mutex
	now map[plugin.Attempt]map[*Execution]bool
}

// Begin registers an execution, before anything of it is done; End must be called when it has answered.
func (s *Store) Begin(attempt plugin.Attempt) *Execution {
	x := &Execution{all: &s.executions, attempt: attempt}
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	if x.all.now == nil {
		x.all.now = map[plugin.Attempt]map[*Execution]bool{}
	}
	if x.all.now[attempt] == nil {
		x.all.now[attempt] = map[*Execution]bool{}
	}
	x.all.now[attempt][x] = true
	return x
}

// End forgets an execution.
func (x *Execution) End() {
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	if delete(x.all.now[x.attempt], x); len(x.all.now[x.attempt]) == 0 {
		delete(x.all.now, x.attempt)
	}
}

// commits runs the request that commits, unless the attempt was resolved since the execution began.
func (x *Execution) commits(send func() error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.powerless {
		return errPowerless
	}
	return send()
}

var errPowerless = fmt.Errorf("%w: the attempt was resolved meanwhile", plugin.ErrUnavailable)

// disarm makes the executions of an attempt powerless that have not committed, and waits for the answer of a commit that
// was sent.
func (e *executions) disarm(attempt plugin.Attempt) {
	e.mu.Lock()
	var running []*Execution
	for x := range e.now[attempt] {
		running = append(running, x)
	}
	e.mu.Unlock()
	for _, x := range running {
		x.mu.Lock()
		x.powerless = true
		x.mu.Unlock()
	}
}
