package plugintest

import (
	"fmt"
	"time"

	"github.com/narthex/narthex/plugin"
)

func identifierRules() []rule {
	needs := []plugin.Capability{plugin.CapUpdater}
	return []rule{
		{
			name:  "Update/a key is added, and the account is found by it and shows it",
			law:   "an added key belongs to the account like one that it was created with",
			needs: needs, check: addKey,
		},
		{
			name:  "Update/a key is dropped, and nobody is found by it",
			law:   "a dropped key leads to nobody: neither Lookup nor a login finds the account by it",
			needs: needs, check: dropKey,
		},
		{
			name:  "Update/one key is exchanged for another in one change",
			law:   "a change of identifiers is applied whole or not at all",
			needs: needs, check: exchangeKey,
		},
		{
			name:  "Update/a key that another account holds is ErrExists and nothing changes",
			law:   "a key belongs to one account, however somebody else comes to want it",
			needs: needs, check: addTakenKey,
		},
		{
			name:  "Update/to drop a key that the account does not hold is ErrConflict and nothing changes",
			law:   "who wants to drop a key that is not there has not seen the account as it is",
			needs: needs, check: dropForeignKey,
		},
		{
			name:  "Update/the same attempt again succeeds and changes nothing more",
			law:   "the attempt makes a change of identifiers idempotent, as in Create",
			needs: needs, check: identifierAgain,
		},
		{
			name:  "Update/a change of identifiers after its NotAfter is ErrUnavailable and changes nothing",
			law:   "who comes late has lost the right to commit: the host may have given the attempt up",
			needs: needs, check: identifierLate,
		},
		{
			name:  "Update/of many accounts that want one key at the same moment one gets it",
			law:   "a key belongs to one account, also when twenty ask for it at once",
			needs: needs, check: identifierRace,
		},
		{
			name:  "Create/an attempt repeated after its account changed returns the account",
			law:   "the same attempt again returns the account that it made, as it is by now",
			needs: needs, check: attemptAfterUpdate,
		},
	}
}

// exchange is a change of identifiers that begins now.
func exchange(add, drop *plugin.Key, hold time.Duration) plugin.Change {
	return plugin.Change{Identifier: &plugin.IdentifierChange{
		Attempt: freshAttempt(), NotAfter: time.Now().Add(plugin.CreateLifetime), Add: add, Drop: drop, Hold: hold,
	}}
}

// shows complains unless the attribute has exactly these values.
func shows(t TB, what string, a plugin.Account, attribute string, want ...string) {
	t.Helper()
	if !sameSet(a.Attributes[attribute], texts(want...)) {
		t.Errorf("%s: attribute %s shows %q, want %q", what, attribute, a.Attributes[attribute], want)
	}
}

func addKey(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	for _, k := range []plugin.Key{s.phone(), s.unique()} {
		after := s.update(t, made.ID, exchange(&k, nil, 0))
		what := fmt.Sprintf("after a %s was added", k.Kind)
		shows(t, what, after, k.Attribute, k.Value)
		s.holds(t, what, after, append(a.Keys, k)...)
		if s.Authenticator != nil && k.Login {
			s.opens(t, what, made.ID, k, a.Password)
		} else if s.Authenticator != nil {
			s.denies(t, what, k, a.Password)
		}
	}
}

func dropKey(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	after := s.update(t, made.ID, exchange(nil, &a.Keys[1], 0))
	shows(t, "after the email was dropped", after, s.names.Email)
	s.absent(t, "after the email was dropped", a.Keys[1])
	s.holds(t, "after the email was dropped", after, a.Keys[0])
	if s.Authenticator != nil {
		s.denies(t, "by the dropped email", a.Keys[1], a.Password)
		s.opens(t, "by the username", made.ID, a.Keys[0], a.Password)
	}
}

func exchangeKey(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	next := s.email(fresh())
	after := s.update(t, made.ID, exchange(&next, &a.Keys[1], time.Hour))
	shows(t, "after the email was exchanged", after, s.names.Email, next.Value)
	s.absent(t, "after the email was exchanged", a.Keys[1])
	s.holds(t, "after the email was exchanged", after, a.Keys[0], next)
	if s.Authenticator != nil {
		s.denies(t, "by the old email", a.Keys[1], a.Password)
		s.opens(t, "by the new email", made.ID, next, a.Password)
	}
}

func addTakenKey(t TB, s *store) {
	a, b := s.person(), s.person()
	made, other := s.create(t, a), s.create(t, b)
	for what, drop := range map[string]*plugin.Key{"added": nil, "exchanged for one's own": &a.Keys[1]} {
		_, err := s.Updater.Update(s.ctx, made.ID, exchange(&b.Keys[1], drop, 0))
		blames(t, "another account's email, "+what, err, plugin.ErrExists, s.names.Email)
	}
	named := b.Keys[0] // the other's username as an address
	named.Kind, named.Attribute = plugin.KindPhone, s.names.Phone
	named.Value = s.phone().Value
	_, err := s.Updater.Update(s.ctx, made.ID, exchange(&named, nil, 0))
	blames(t, "a phone whose canonical key is another's username", err, plugin.ErrExists, s.names.Phone)
	s.is(t, "after refused changes", made)
	s.holds(t, "after refused changes", made, a.Keys...)
	s.holds(t, "the other account", other, b.Keys...)
}

func dropForeignKey(t TB, s *store) {
	a, b := s.person(), s.person()
	made, other := s.create(t, a), s.create(t, b)
	free, nobodys := s.phone(), s.email(fresh())
	for what, drop := range map[string]*plugin.Key{"another account's": &b.Keys[1], "nobody's": &nobodys} {
		_, err := s.Updater.Update(s.ctx, made.ID, exchange(&free, drop, 0))
		fails(t, "to drop a key that is "+what, err, plugin.ErrConflict)
	}
	s.absent(t, "after conflicts", free)
	s.is(t, "after conflicts", made)
	s.holds(t, "the other account", other, b.Keys...)
}

func identifierAgain(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	next := s.email(fresh())
	c := exchange(&next, &a.Keys[1], time.Hour)
	first := s.update(t, made.ID, c)
	c.Identifier.NotAfter = time.Now().Add(-time.Hour)
	equal(t, "the same attempt again, and late", s.update(t, made.ID, c), first)
	s.holds(t, "after the same attempt again", first, a.Keys[0], next)
	s.absent(t, "after the same attempt again", a.Keys[1])
}

func identifierLate(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	next := s.phone()
	c := exchange(&next, &a.Keys[1], 0)
	c.Identifier.NotAfter = time.Now().Add(-time.Hour)
	_, err := s.Updater.Update(s.ctx, made.ID, c)
	fails(t, "a change an hour after its NotAfter", err, plugin.ErrUnavailable)
	s.is(t, "after a change came late", made)
	s.holds(t, "after a change came late", made, a.Keys...)
	s.absent(t, "after a change came late", next)
	c.Identifier.NotAfter = time.Now().Add(plugin.CreateLifetime)
	s.holds(t, "the next execution of the attempt", s.update(t, made.ID, c), next)
}

func identifierRace(t TB, s *store) {
	made := make([]plugin.Account, 8)
	for i := range made {
		made[i] = s.create(t, s.person())
	}
	for range s.rounds {
		k := s.phone()
		k.Kind, k.Attribute = plugin.KindUnique, s.names.Unique
		k.Login, k.Value = false, fresh()
		errs := atOnce(len(made), func(i int) error {
			_, err := s.Updater.Update(s.ctx, made[i].ID, exchange(&k, nil, 0))
			return err
		})
		winners := 0
		for _, err := range errs {
			if err == nil {
				winners++
			}
		}
		if winners > 1 {
			t.Fatalf("%d accounts got one key", winners)
		}
		if winners == 0 {
			t.Errorf("nobody got the key: %v", errs)
		}
		found, err := s.Lookup(s.ctx, k)
		must(t, "Lookup of the key that the race was for", err)
		for i, err := range errs {
			if err == nil && found.ID != made[i].ID {
				t.Errorf("the winner is account %s, and Lookup finds %s", made[i].ID, found.ID)
			}
		}
		for i := range made { // the next round begins without it
			if errs[i] == nil {
				s.update(t, made[i].ID, exchange(nil, &k, 0))
			}
		}
	}
}

func attemptAfterUpdate(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	next := s.email(fresh())
	s.update(t, made.ID, exchange(&next, &a.Keys[1], time.Hour))
	now := s.update(t, made.ID, replace(s.names.FamilyName, texts("Lovelace"), texts("King")))
	equal(t, "the attempt again after changes", s.create(t, a), now)
	s.absent(t, "the dropped key after the attempt again", a.Keys[1])
	found, err := s.Resolve(s.ctx, a.Attempt, a.Keys)
	must(t, "Resolve after changes", err)
	equal(t, "Resolve after changes", found, now)
}
