package plugintest

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/plugin"
)

// Race has callers create accounts at the same moment that all want one key, as an email address and in every other round
// as a username as well, and does so rounds times. One of them must win each time; the others must hear ErrExists with the
// attribute of the key, at the latest when they ask again after ErrUnavailable, and leave nothing behind.
// It is a rule of the suite with few callers; a store's own tests call it with many.
func Race(ctx context.Context, t TB, b plugin.Backend, callers, rounds int, options ...Option) {
	t.Helper()
	s := newStore(ctx, b, newSettings(options))
	defer s.tidy(t)
	s.race(t, callers, rounds)
}

func (s *store) race(t TB, callers, rounds int) {
	t.Helper()
	for round := range rounds {
		wanted := s.email(fresh())
		racers := make([]plugin.NewAccount, callers)
		for i := range racers {
			racers[i] = s.person()
			racers[i].Keys[1] = wanted
			if round%2 == 1 && i%2 == 1 { // wants to be called by the others' address
				racers[i].Keys[1] = s.email(fresh())
				racers[i].Keys[0].Canonical = wanted.Canonical
			}
		}
		errs := atOnce(callers, func(i int) error {
			_, err := s.Create(s.ctx, racers[i])
			return err
		})
		s.oneWinner(t, wanted, racers, errs)
	}
}

// oneWinner judges the outcome of one race.
func (s *store) oneWinner(t TB, wanted plugin.Key, racers []plugin.NewAccount, errs []error) {
	t.Helper()
	winners := 0
	for i, err := range errs {
		if errors.Is(err, plugin.ErrUnavailable) || errors.Is(err, plugin.ErrUnknownOutcome) {
			err = s.again(racers[i])
		}
		if errs[i] = err; err == nil {
			winners++
			continue
		}
		own := racers[i].Keys[0]
		if own.Canonical == wanted.Canonical {
			blames(t, "Create of one who lost the race", err, plugin.ErrExists, own.Attribute)
			own = racers[i].Keys[1]
		} else {
			blames(t, "Create of one who lost the race", err, plugin.ErrExists, wanted.Attribute)
		}
		s.absent(t, "the other key of one who lost the race", own)
	}
	if winners != 1 {
		t.Errorf("%d of %d callers won the race for one key, want 1", winners, len(racers))
	}
	for i, err := range errs {
		if err == nil {
			for _, k := range racers[i].Keys {
				_, err := s.Lookup(s.ctx, k)
				must(t, "Lookup of a key of the winner", err)
			}
		}
	}
}

// again repeats an attempt until its outcome is known.
func (s *store) again(a plugin.NewAccount) error {
	for {
		a.NotAfter = time.Now().Add(plugin.CreateLifetime)
		_, err := s.Create(s.ctx, a)
		if err == nil || !errors.Is(err, plugin.ErrUnavailable) && !errors.Is(err, plugin.ErrUnknownOutcome) || s.ctx.Err() != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func raceRules() []rule {
	return []rule{
		{
			name:  "Create/of many who want one key at the same moment one gets it",
			law:   "a key belongs to one account, also when twenty ask for it at once: to look and then to add is not enough",
			check: func(t TB, s *store) { s.race(t, s.callers, s.rounds) },
		},
		{
			name:  "Create/pairs of keys wanted in opposite order come to an end with one winner",
			law:   "who takes several keys must not lock up with another who takes the same ones in another order",
			check: crossedPairs,
		},
	}
}

func crossedPairs(t TB, s *store) {
	for range s.rounds {
		x, y := s.phone(), s.email(fresh())
		errs := atOnce(8, func(i int) error {
			a := s.person()
			a.Keys = []plugin.Key{a.Keys[0], x, y}
			if i%2 == 1 {
				a.Keys[1], a.Keys[2] = y, x
			}
			return s.again(a)
		})
		winners := 0
		for _, err := range errs {
			if err == nil {
				winners++
			} else {
				fails(t, "Create of one who lost the race", err, plugin.ErrExists)
			}
		}
		if winners != 1 {
			t.Errorf("%d callers got both keys, want 1", winners)
		}
	}
}
