package race

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestCreations: 16 executions of 12 attempts on 3 or 4 names, each process dying and stalling at any request, janitors
// among them. At rest every name has one account at most, and every account that was acknowledged is there.
func TestCreations(t *testing.T) {
	short := map[string]int{testenv.OpenLDAP: 12, testenv.DS389: 2, testenv.ActiveDirectory: 2}
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			if v := a.raceCreations(rounds(short[kind.Kind])); len(v.kinds) > 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

// acknowledged are the accounts that processes told of, by attempt. A process tells nothing after its death.
type acknowledged struct {
	mu  sync.Mutex
	ids map[*attempt]map[plugin.ID]bool
}

func newAcknowledged() *acknowledged { return &acknowledged{ids: map[*attempt]map[plugin.ID]bool{}} }

func (k *acknowledged) add(t *attempt, id plugin.ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ids[t] == nil {
		k.ids[t] = map[plugin.ID]bool{}
	}
	k.ids[t][id] = true
}

func (a *arena) raceCreations(rounds int) *violations {
	v := &violations{T: a.T, kinds: map[string]int{}}
	accounts, began := 0, time.Now()
	for v.round = range rounds {
		names := tokens(3 + v.round%2)
		attempts := make([]*attempt, 12)
		for i := range attempts {
			user := rand.IntN(len(names))
			alias := (user + 1 + rand.IntN(len(names)-1)) % len(names)
			attempts[i] = newAttempt(names[user], names[alias], i%2 == 0)
		}
		acks := newAcknowledged()
		a.raceOnce(attempts, acks)
		a.settle(v)
		accounts += a.checkCreations(v, names, attempts, acks)
		for _, t := range attempts { // by a process that nothing happens to
			outcome, err := a.execute(luck{lease: a.lease}, t, acks)
			if outcome != "ok" && (outcome != "exists" || len(acks.ids[t]) > 0) {
				v.add("retry without bad luck", "%s: %v", outcome, err)
			}
		}
		a.checkCreations(v, names, attempts, acks)
	}
	for outcome := range a.tally.counts {
		v.heard(strings.TrimPrefix(outcome, "create "))
	}
	a.Logf("%s: %d rounds in %.0f s, %d accounts; executions: %s; deaths %d and stalls %d before requests, lost or late answers %d; violations: %v", a.dir.Kind, rounds, time.Since(began).Seconds(),
		accounts, a.tally.list("create "), a.tally.sum("death before"), a.tally.sum("stall before"), a.tally.sum("lost")+a.tally.sum("late"), v)
	return v
}

// raceOnce executes attempts, some of them twice at once, beside two janitors.
func (a *arena) raceOnce(attempts []*attempt, acks *acknowledged) {
	bad := luck{death: 0.05, stall: 0.05, lost: 0.005, lease: a.lease}
	stop := a.janitors(bad.worse(0.25))
	var workers sync.WaitGroup
	for w := range 16 {
		t := attempts[w%len(attempts)]
		workers.Go(func() {
			for range 5 {
				outcome, _ := a.execute(bad, t, acks)
				if outcome == "ok" || outcome == "exists" || rand.Float64() < 0.3 {
					return
				}
			}
		})
	}
	workers.Wait()
	stop()
}

// janitors run until stopped; each that dies is followed by another.
func (a *arena) janitors(l luck) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(float64(a.lease) * (0.3 + rand.Float64()))):
				}
				p, s := a.spawn(l)
				_, err := s.Maintain(context.Background())
				if err != nil && !p.dead.Load() {
					a.tally.add("janitor's error " + err.Error())
				}
				s.Wait()
				p.late.Wait()
			}
		})
	}
	return func() { close(done); all.Wait() }
}

// execute runs one execution to its end, background and late requests included, and says how its caller was answered.
func (a *arena) execute(l luck, t *attempt, acks *acknowledged) (string, error) {
	p, s := a.spawn(l)
	made, err := a.create(context.Background(), p, s, t)
	outcome := a.outcome(p, err)
	if outcome == "ok" {
		acks.add(t, made.ID)
	}
	a.tally.add("create " + outcome)
	s.Wait()
	p.late.Wait()
	return outcome, err
}

func (a *arena) outcome(p *process, err error) string {
	switch {
	case p.dead.Load():
		return "died"
	case err == nil:
		return "ok"
	case errors.Is(err, plugin.ErrExists):
		return "exists"
	case errors.Is(err, plugin.ErrUnknownOutcome):
		return "unknown"
	case errors.Is(err, plugin.ErrConflict):
		return "conflict"
	case errors.Is(err, plugin.ErrNotFound):
		return "not found"
	case errors.Is(err, plugin.ErrInvalid):
		return "refused"
	case errors.Is(err, plugin.ErrUnavailable):
		return "unavailable"
	}
	return "outside the contract: " + err.Error()
}

// heard keeps what every caller must be told in the contract's words.
func (v *violations) heard(outcome string) {
	if strings.HasPrefix(outcome, "outside") {
		v.add("an answer without a word of the contract", "%s", outcome)
	}
}

// settle lets every deadline pass and a lucky janitor clean up.
func (a *arena) settle(v *violations) {
	time.Sleep(a.lease + 10*time.Millisecond)
	for range 2 {
		for range 20 {
			report, err := a.lucky().Maintain(context.Background())
			if err != nil {
				v.add("a lucky janitor fails", "%v", err)
			}
			if !report.More {
				break
			}
		}
	}
}
