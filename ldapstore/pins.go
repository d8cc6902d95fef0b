package ldapstore

import (
	"maps"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
)

// manyPins bounds what is remembered. Beyond it the writer is asked for everything, for a while.
const manyPins = 10_000

// pins are the accounts that this process has changed of late.
type pins struct {
	mu    sync.Mutex
	until map[plugin.ID]time.Time
	all   time.Time
}

func (p *pins) pin(id plugin.ID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[plugin.ID]time.Time{}
	}
	if len(p.until) >= manyPins {
		maps.DeleteFunc(p.until, func(_ plugin.ID, end time.Time) bool { return now.After(end) })
	}
	if len(p.until) >= manyPins {
		clear(p.until)
		p.all = now.Add(pinned)
	}
	p.until[id] = now.Add(pinned)
}

func (p *pins) has(id plugin.ID, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.all) || now.Before(p.until[id])
}
