package race

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

// luck is how badly off a process is, for each request: before it, and after it.
type luck struct {
	death, stall float64
	lost         float64 // the answer is lost, or the request is carried out later
	lease        time.Duration
}

func (l luck) lucky() bool { return l.death+l.stall+l.lost == 0 }

// worse returns the luck with the chance to die and to stall changed by a factor.
func (l luck) worse(factor float64) luck {
	l.death, l.stall = l.death*factor, l.stall*factor
	return l
}

// process sends requests like a process that may die: from then on nothing of it is sent, and what it says is not heard.
type process struct {
	directory.Operations
	luck
	dead  atomic.Bool
	tally *tally
	late  sync.WaitGroup
	took  func(start, end time.Time) // each request, if set
}

// do sends one request with everything that may happen around it.
func (p *process) do(name string, send func() error) error {
	if err := p.chance("before "+name, 1); err != nil {
		return err
	}
	if p.lost > 0 && rand.Float64() < p.lost/2 {
		p.tally.add("late " + name)
		p.late.Go(func() {
			time.Sleep(p.stalling())
			_ = send()
		})
		return fmt.Errorf("%s: %w", name, directory.ErrUnanswered)
	}
	began := time.Now()
	err := send()
	if p.took != nil {
		p.took(began, time.Now())
	}
	if died := p.chance("after "+name, afterwards); died != nil {
		return died
	}
	if p.lost > 0 && rand.Float64() < p.lost/2 {
		p.tally.add("lost answer " + name)
		return fmt.Errorf("%s: %w", name, directory.ErrUnanswered)
	}
	return err
}

// stalling is longer than a lease, and shorter than half a username's hold.
func (p *process) stalling() time.Duration {
	return time.Duration(float64(p.lease) * (1.2 + 2*rand.Float64()))
}

// afterwards is how much less happens after a request than before: what is before the next one counts as well.
const afterwards = 0.2

func (p *process) chance(when string, factor float64) error {
	switch r := rand.Float64() / factor; {
	case p.dead.Load():
	case r < p.death:
		p.tally.add("death " + when)
		p.dead.Store(true)
	case r < p.death+p.stall:
		p.tally.add("stall " + when)
		time.Sleep(p.stalling())
	}
	if p.dead.Load() {
		return fmt.Errorf("the process is dead: %w", directory.ErrUnreachable)
	}
	return nil
}

func (p *process) Add(ctx context.Context, dn directory.DN, attributes []directory.Attribute) error {
	return p.do("add", func() error { return p.Operations.Add(p.open(ctx), dn, attributes) })
}

func (p *process) Modify(ctx context.Context, dn directory.DN, changes []directory.Change, assert directory.Filter) error {
	return p.do("modify", func() error { return p.Operations.Modify(p.open(ctx), dn, changes, assert) })
}

func (p *process) Move(ctx context.Context, dn, to directory.DN, deleteOldRDN bool, assert directory.Filter) error {
	return p.do("move", func() error { return p.Operations.Move(p.open(ctx), dn, to, deleteOldRDN, assert) })
}

func (p *process) Delete(ctx context.Context, dn directory.DN) error {
	return p.do("delete", func() error { return p.Operations.Delete(p.open(ctx), dn) })
}

func (p *process) Read(ctx context.Context, dn directory.DN, attributes ...string) (e directory.Entry, err error) {
	err = p.looking("read", func() error { e, err = p.Operations.Read(p.open(ctx), dn, attributes...); return err })
	return e, err
}

func (p *process) Search(ctx context.Context, base directory.DN, scope directory.Scope, filter directory.Filter, limit int, attributes ...string) (found []directory.Entry, err error) {
	err = p.looking("search", func() error {
		found, err = p.Operations.Search(p.open(ctx), base, scope, filter, limit, attributes...)
		return err
	})
	return found, err
}

func (p *process) SetPassword(ctx context.Context, dn directory.DN, password string) error {
	return p.do("password", func() error { return p.Operations.SetPassword(p.open(ctx), dn, password) })
}

// looking is do for what changes nothing: whether it happens later is nobody's concern.
func (p *process) looking(name string, send func() error) error {
	if err := p.chance("before "+name, 1); err != nil {
		return err
	}
	began := time.Now()
	err := send()
	if p.took != nil {
		p.took(began, time.Now())
	}
	if died := p.chance("after "+name, afterwards); died != nil {
		return died
	}
	if p.lost > 0 && rand.Float64() < p.lost {
		p.tally.add("lost answer " + name)
		return fmt.Errorf("%s: %w", name, directory.ErrUnanswered)
	}
	return err
}

// open keeps a request from being cut off by its caller's deadline, which is as short as a lease here: connections would
// be made anew all the time. What a stalled caller sends after its deadline is the harder case anyway.
func (p *process) open(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// tally counts what happened.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func newTally() *tally { return &tally{counts: map[string]int{}} }

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what]++
}

// sum adds what begins with prefix.
func (t *tally) sum(prefix string) (sum int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for what, n := range t.counts {
		if strings.HasPrefix(what, prefix) {
			sum += n
		}
	}
	return sum
}

// list shows all counts that begin with a prefix.
func (t *tally) list(prefix string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(t.counts)) {
		if rest, ok := strings.CutPrefix(what, prefix); ok {
			parts = append(parts, fmt.Sprintf("%s %d", rest, t.counts[what]))
		}
	}
	return strings.Join(parts, ", ")
}
