package race

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestChanges: people come, exchange, add and drop addresses, go, and others take their names, while processes die and stall
// at any request. At rest, what was answered explains what is there.
func TestChanges(t *testing.T) {
	short := map[string]int{testenv.OpenLDAP: 2, testenv.DS389: 1, testenv.ActiveDirectory: 1}
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			for i, bad := range regimes {
				if i > 0 && *manyRounds == 0 && kind.Kind != testenv.OpenLDAP {
					break // too slow for both
				}
				if v := a.raceChanges(rounds(short[kind.Kind]), bad); len(v.kinds) > 0 {
					t.Errorf("violations: %v", v)
				}
			}
		})
	}
}

// account is what a round knows of one.
type account struct {
	id      plugin.ID
	of      *attempt
	aliases []token // as far as anybody was told
	deeds   []*record
}

// record is a deed with the answers to its executions.
type record struct {
	deed
	attempt   plugin.Attempt
	uncertain bool // an execution may have done it
}

// life is one round.
type life struct {
	*arena
	names    []token
	bad      luck
	mu       sync.Mutex
	accounts map[plugin.ID]*account
	order    []*account
	attempts []*attempt
}

func (a *arena) raceChanges(rounds int, bad luck) *violations {
	v := &violations{T: a.T, kinds: map[string]int{}}
	bad.lease = a.lease
	accounts, began := 0, time.Now()
	(&byHand{arena: a}).person(a.T, tokens(1)[0]) // somebody whom nobody touches
	for v.round = range rounds {
		l := &life{arena: a, names: tokens(10 + 2*(v.round%4)), bad: bad, accounts: map[plugin.ID]*account{}}
		if v.round%2 == 1 {
			l.names[0] += refusable
		}
		stop := a.janitors(bad.worse(0.25))
		var workers sync.WaitGroup
		for range 16 {
			workers.Go(func() {
				for range 8 {
					l.act()
				}
			})
		}
		workers.Wait()
		stop()
		a.settle(v)
		accounts += len(l.order)
		l.review(v)
		l.check(v)
		time.Sleep(a.settings.UsernameHold/2 + 10*time.Millisecond)
		a.settle(v)
		time.Sleep(a.settings.UsernameHold/2 + 10*time.Millisecond)
		l.newcomers(v)
		l.check(v)
	}
	for outcome := range a.tally.counts {
		for _, kind := range []string{"create ", "exchange ", "add ", "drop ", "delete "} {
			v.heard(strings.TrimPrefix(outcome, kind))
		}
	}
	a.Logf("%s: %d rounds in %.0f s, %d accounts; create: %s; exchange: %s; add: %s; drop: %s; delete: %s; by hand: %d; lookup: %s; deaths %d and stalls %d before requests, lost or late answers %d; violations: %v",
		a.dir.Kind, rounds, time.Since(began).Seconds(), accounts, a.tally.list("create "), a.tally.list("exchange "), a.tally.list("add "), a.tally.list("drop "),
		a.tally.list("delete "), a.tally.sum("by hand"), a.tally.list("lookup "), a.tally.sum("death before"), a.tally.sum("stall before"), a.tally.sum("lost")+a.tally.sum("late"), v)
	return v
}

// act does one thing with somebody or something that comes along.
func (l *life) act() {
	someone := l.someone()
	switch r := rand.IntN(100); {
	case someone == nil || r < 18:
		l.born()
	case r < 50:
		l.change(someone, &record{deed: deed{kind: "exchange", old: l.hers(someone), new: rand.IntN(len(l.names))}})
	case r < 62:
		l.change(someone, &record{deed: deed{kind: "add", new: rand.IntN(len(l.names))}})
	case r < 74:
		l.change(someone, &record{deed: deed{kind: "drop", old: l.hers(someone)}})
	case r < 80:
		l.change(someone, &record{deed: deed{kind: "delete"}})
	case r < 83:
		l.removeByHand(someone)
	default:
		p, s := l.spawn(l.bad)
		_, err := s.Lookup(context.Background(), l.names[rand.IntN(len(l.names))].key(plugin.KindEmail))
		l.tally.add("lookup " + l.outcome(p, err))
		s.Wait()
	}
}

// someone is one of the last accounts; the older ones may be gone.
func (l *life) someone() *account {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.order); n > 0 {
		return l.order[n-1-rand.IntN(min(n, 5))]
	}
	return nil
}

// hers is the number of an alias that an account has, as far as anybody knows, or now and then of any.
func (l *life) hers(of *account) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(of.aliases) == 0 || rand.IntN(8) == 0 {
		return rand.IntN(len(l.names))
	}
	return slices.Index(l.names, of.aliases[rand.IntN(len(of.aliases))])
}

// removeByHand deletes an account's entry as an admin does, without a word to anybody.
func (l *life) removeByHand(of *account) {
	r := &record{deed: deed{kind: "delete", certain: true, start: time.Now()}}
	found, err := l.admin.Search(context.Background(), l.settings.People.Base, directory.OneLevel, l.server.IDFilter(string(of.id)), 1, "1.1")
	if err != nil || len(found) == 0 || l.admin.Delete(context.Background(), found[0].DN) != nil {
		return
	}
	r.end = time.Now()
	l.tally.add("by hand")
	l.mu.Lock()
	defer l.mu.Unlock()
	of.deeds = append(of.deeds, r)
}

// review is what an adoption does with claims whose accounts were removed by hand.
func (l *life) review(v *violations) {
	store := l.lucky()
	for _, k := range l.names {
		if _, err := store.Review(context.Background(), claim.Name(k.canonical())); err != nil {
			v.add("a review fails", "%v", err)
		}
	}
}

// born tries to make an account, in up to three executions.
func (l *life) born() {
	user := rand.IntN(len(l.names))
	t := newAttempt(l.names[user], l.names[(user+1+rand.IntN(len(l.names)-1))%len(l.names)], rand.IntN(2) == 0)
	l.mu.Lock()
	l.attempts = append(l.attempts, t)
	l.mu.Unlock()
	for range 3 {
		p, s := l.spawn(l.bad)
		made, err := l.create(context.Background(), p, s, t)
		outcome := l.outcome(p, err)
		l.tally.add("create " + outcome)
		if outcome == "ok" {
			l.meet(made.ID, t)
		}
		s.Wait()
		p.late.Wait()
		if outcome == "ok" || outcome == "exists" || rand.Float64() < 0.3 {
			return
		}
	}
}

func (l *life) meet(id plugin.ID, t *attempt) *account {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.accounts[id] == nil {
		l.accounts[id] = &account{id: id, of: t, aliases: []token{t.alias}}
		l.order = append(l.order, l.accounts[id])
	}
	return l.accounts[id]
}

// change tries to do something to an account, in up to three executions of one attempt.
func (l *life) change(of *account, r *record) {
	r.attempt, r.start = plugin.Attempt(randomHex(16)), time.Now()
	r.end = r.start.Add(24 * time.Hour) // until it is answered
	l.mu.Lock()
	of.deeds = append(of.deeds, r)
	l.mu.Unlock()
	for range 3 {
		p, s := l.spawn(l.bad)
		outcome := l.outcome(p, l.execute(s, of, r))
		l.tally.add(r.kind + " " + outcome)
		l.note(of, r, outcome)
		s.Wait()
		p.late.Wait()
		if outcome != "died" && outcome != "unknown" && outcome != "unavailable" || rand.Float64() < 0.3 {
			return
		}
	}
}

func (l *life) execute(s *claim.Store, of *account, r *record) error {
	ctx, cancel := context.WithTimeout(context.Background(), 4*l.lease)
	defer cancel()
	if r.kind == "delete" {
		return s.Delete(ctx, of.id)
	}
	c := plugin.IdentifierChange{Attempt: r.attempt, NotAfter: time.Now().Add(l.lease), Hold: 8 * l.lease}
	if r.kind != "add" {
		key := l.names[r.old].key(plugin.KindEmail)
		c.Drop = &key
	}
	if r.kind != "drop" {
		key := l.names[r.new].key(plugin.KindEmail)
		c.Add = &key
	}
	if c.Add != nil && c.Drop != nil && c.Add.Canonical == c.Drop.Canonical {
		return plugin.ErrConflict // the contract refuses it before any store sees it
	}
	return s.Change(ctx, of.id, c)
}

// note keeps what was answered. Dead or without an answer, it may have happened; any other answer says that this execution
// did nothing.
func (l *life) note(of *account, r *record, outcome string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch outcome {
	case "ok":
		r.certain, r.end = true, time.Now()
		if r.kind == "exchange" || r.kind == "drop" {
			of.aliases = slices.DeleteFunc(of.aliases, func(k token) bool { return k == l.names[r.old] })
		}
		if r.kind == "exchange" || r.kind == "add" {
			of.aliases = append(of.aliases, l.names[r.new])
		}
	case "exists", "unavailable", "conflict", "not found", "refused":
	default:
		r.uncertain = true
	}
}
