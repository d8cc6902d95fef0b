package plugintest

import (
	"github.com/narthex/narthex/plugin"
)

func deleteRules() []rule {
	return []rule{
		{
			name:  "Delete/removes exactly this account",
			law:   "Delete removes the account with the id, and touches no other",
			check: deleteExactly,
		},
		{
			name:  "Delete/twice, and of an account that never was, succeeds",
			law:   "deleting an absent account succeeds, so that a host can repeat what it does not know the outcome of",
			check: deleteTwice,
		},
		{
			name:  "Delete/the keys of the account are free, and its id is never used again",
			law:   "an id names one account for ever: whoever gets the name next is another person, with nothing of the old one",
			check: deleteFreesKeys,
		},
	}
}

func deleteExactly(t TB, s *store) {
	a, b := s.person(), s.person()
	gone, stays := s.create(t, a), s.create(t, b)
	must(t, "Delete", s.Delete(s.ctx, gone.ID))
	_, err := s.Get(s.ctx, gone.ID)
	fails(t, "Get of a deleted account", err, plugin.ErrNotFound)
	s.absent(t, "after Delete", a.Keys...)
	if s.Authenticator != nil {
		s.denies(t, "a deleted account", a.Keys[0], a.Password)
	}
	s.is(t, "the account beside", stays)
	s.holds(t, "the account beside", stays, b.Keys...)
}

func deleteTwice(t TB, s *store) {
	made := s.create(t, s.person())
	must(t, "Delete", s.Delete(s.ctx, made.ID))
	must(t, "Delete once more", s.Delete(s.ctx, made.ID))
	must(t, "Delete of an account that never was", s.Delete(s.ctx, absentID()))
}

func deleteFreesKeys(t TB, s *store) {
	a := s.person()
	a.Attributes[s.names.Notes] = texts("belongs to the first")
	a.State = plugin.State{Locked: true}
	old := s.create(t, a)
	must(t, "Delete", s.Delete(s.ctx, old.ID))

	b := s.person()
	b.Keys[1] = a.Keys[1]
	if !s.holdsUsername {
		b.Keys[0] = a.Keys[0]
	}
	made := s.create(t, b)
	if made.ID == old.ID {
		t.Errorf("the new account has the id of the deleted one")
	}
	if found := made.Attributes[s.names.Notes]; len(found) > 0 {
		t.Errorf("the new account shows what the deleted one had: %q", found)
	}
	s.is(t, "the new account", b.Account(made.ID, made.CreatedAt))
	s.holds(t, "the new account", made, b.Keys...)
	_, err := s.Get(s.ctx, old.ID)
	fails(t, "Get of the deleted account's id", err, plugin.ErrNotFound)
	if s.Authenticator != nil {
		s.opens(t, "the new account", made.ID, b.Keys[1], b.Password)
		s.denies(t, "the deleted account's password on the new one", b.Keys[1], a.Password)
	}
	must(t, "Delete of the old account once more", s.Delete(s.ctx, old.ID))
	s.is(t, "after Delete of the old account once more", made)
}
