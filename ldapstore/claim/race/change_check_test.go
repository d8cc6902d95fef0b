package race

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// regimes: "late" is what tests changes, as few of them survive five deaths in a hundred requests; "deadly" is the other.
var regimes = [2]luck{
	{death: 0.012, stall: 0.06, lost: 0.01},
	{death: 0.05, stall: 0.05, lost: 0.01},
}

// check compares what is there with what was answered.
func (l *life) check(v *violations) {
	s := l.look(v, l.names)
	sets := map[plugin.ID]int{}
	for id, e := range s.accounts {
		of := l.attemptOf(s, e)
		if of == nil {
			v.add("an account of no attempt", "%s", e.DN)
			continue
		}
		l.meet(plugin.ID(id), of)
		l.checkAccount(v, s, id, e, of, l.attempts)
		set := 0
		for i, k := range l.names {
			if !slices.Contains(e.Values("mail"), k.mail()) {
				continue
			}
			set |= 1 << i
			if !s.isHeldBy(k, id) {
				v.add("an account without a claim", "%s: %s", e.DN, s.claims[k])
			}
		}
		sets[plugin.ID(id)] = set
	}
	for id, of := range l.accounts {
		set, there := sets[id]
		if !there {
			set = gone
		}
		if deeds := of.done(); !explains(deeds, 1<<slices.Index(l.names, of.of.alias), set) {
			v.add("what was answered does not explain what is there", "%s: %b from %s, by %v", of.of.user, set, of.of.alias, deeds)
		}
	}
	l.checkLookups(v, s)
}

// done are the deeds that happened or may have.
func (of *account) done() []deed {
	var all []deed
	for _, r := range of.deeds {
		if r.certain || r.uncertain {
			all = append(all, r.deed)
		}
	}
	return all
}

// attemptOf finds out who made an account: the claim of its username says so for as long as it lives.
func (l *life) attemptOf(s *seen, e directory.Entry) *attempt {
	for _, t := range l.attempts {
		if s.claim(t.user, 2) == string(t.id) && strings.EqualFold(e.Value(l.settings.People.Username), string(t.user)) {
			return t
		}
	}
	return nil
}

func (l *life) checkLookups(v *violations, s *seen) {
	store := l.lucky()
	for _, k := range l.names {
		want := ""
		for id, e := range s.accounts {
			if slices.Contains(e.Values("mail"), k.mail()) {
				want = id
			}
		}
		owner, err := store.Lookup(context.Background(), k.key(plugin.KindEmail))
		if string(owner.ID) != want || (err != nil) != (want == "") {
			v.add("a look-up finds somebody else", "%q instead of %q, %v", owner.ID, want, err)
		}
	}
}

// newcomers try every name that nobody has, when all holds are over, by a process that nothing happens to.
func (l *life) newcomers(v *violations) {
	l.settle(v)
	l.now = func() time.Time { return time.Now().Add(25 * time.Hour) } // what was removed by hand is held for a day
	defer func() { l.now = time.Now }()
	s := l.look(v, l.names)
	var free []token
	for _, k := range l.names {
		if strings.HasSuffix(string(k), refusable) {
			continue
		}
		if words := s.claims[k]; len(words) == 0 || words[0] == "F" || words[0] == "R" {
			free = append(free, k)
		}
	}
	for pair := range slices.Chunk(free, 2) {
		if len(pair) < 2 {
			continue
		}
		t := newAttempt(pair[0], pair[1], true)
		l.attempts = append(l.attempts, t)
		p, store := l.spawn(luck{lease: l.lease})
		made, err := l.create(context.Background(), p, store, t)
		store.Wait()
		if err != nil {
			v.add("a free name cannot be taken", "%v, claims %s and %s", err, s.claims[pair[0]], s.claims[pair[1]])
			continue
		}
		l.meet(made.ID, t)
	}
}
