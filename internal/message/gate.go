package message

import (
	"errors"
	"sync"
	"time"
)

// How often a transport that takes nobody's letters is tried.
const (
	probePause = 2 * time.Second  // it may come back any moment
	mendPause  = 30 * time.Second // an operator has to mend something; a server may ban who tries a wrong password too often
)

// gate stands before a transport. While the transport takes nobody's letters only one letter at a time goes through, now
// and then: the others keep their tries, and all of them go as soon as one has passed.
type gate struct {
	mu      sync.Mutex
	fault   *Failure // why it is shut; nil: open
	next    time.Time
	probing bool
}

// enter tells whether a letter may go through now. Whoever may must call leave.
func (g *gate) enter(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fault == nil {
		return true
	}
	if g.probing || now.Before(g.next) {
		return false
	}
	g.probing = true
	return true
}

// due tells whether a letter would be let through now, and whether all would.
func (g *gate) due(now time.Time) (one, all bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fault == nil || !g.probing && !now.Before(g.next), g.fault == nil
}

// What a letter's way through the gate has shown.
type verdict int

const (
	nothingNew verdict = iota
	shut               // the transport is down, for a reason that was not known
	opened             // it works again
)

// leave takes what the transport said to a letter; asked is false where the letter never came to it.
func (g *gate) leave(now time.Time, asked bool, err error) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probing = false
	switch {
	case !asked:
		return nothingNew
	case !errors.Is(err, ErrDown):
		was := g.fault
		if g.fault = nil; was != nil {
			return opened
		}
		return nothingNew
	}
	fault := &Failure{Kind: ErrDown, Problem: "the transport is down"}
	errors.As(err, &fault)
	g.next = now.Add(probePause)
	if fault.Fix != "" && fault.Reply != 0 { // the server has said no to what is configured
		g.next = now.Add(mendPause)
	}
	was := g.fault
	if g.fault = fault; was == nil || was.Problem != fault.Problem || was.Reply != fault.Reply {
		return shut
	}
	return nothingNew
}

// trouble returns why the gate is shut, or nil.
func (g *gate) trouble() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fault == nil {
		return nil
	}
	return g.fault
}
