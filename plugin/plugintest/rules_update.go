package plugintest

import (
	"time"

	"github.com/narthex/narthex/plugin"
)

func updateRules() []rule {
	needs := []plugin.Capability{plugin.CapUpdater}
	return []rule{
		{
			name:  "Update/an absent account is ErrNotFound",
			law:   "there is no such account: ErrNotFound, and none is made",
			needs: needs, check: updateAbsent,
		},
		{
			name:  "Update/two changes in one, and none, are ErrInvalid",
			law:   "a change alters attributes, state, groups or an identifier, and one of them: no directory can do two together, whole or not at all",
			needs: needs, check: twoChanges,
		},
		{
			name:  "Update/a change that breaks a rule of the contract is ErrInvalid and changes nothing",
			law:   "arguments that Change.Validate refuses are ErrInvalid before anything is written",
			needs: needs, check: updateInvalid,
		},
	}
}

// update applies a change or ends the rule.
func (s *store) update(t TB, id plugin.ID, c plugin.Change) plugin.Account {
	t.Helper()
	after, err := s.Updater.Update(s.ctx, id, c)
	must(t, "Update", err)
	if after.ID != id {
		t.Errorf("Update of account %s returns account %s", id, after.ID)
	}
	s.is(t, "after Update", after)
	return after
}

// changes are one of each kind.
func (s *store) changes() map[string]plugin.Change {
	k := s.phone()
	return map[string]plugin.Change{
		"of an attribute": replace(s.names.FamilyName, texts("Lovelace"), texts("King")),
		"of the state":    {State: &plugin.StateChange{New: plugin.State{Locked: true}}},
		"of an identifier": {Identifier: &plugin.IdentifierChange{
			Attempt: freshAttempt(), NotAfter: time.Now().Add(plugin.CreateLifetime), Add: &k,
		}},
	}
}

// replace is a change of one attribute.
func replace(attribute string, old, to []plugin.Value) plugin.Change {
	return plugin.Change{Attributes: map[string]plugin.AttributeChange{attribute: {Old: old, New: to}}}
}

func updateAbsent(t TB, s *store) {
	made := s.create(t, s.person())
	must(t, "Delete", s.Delete(s.ctx, made.ID))
	for what, c := range s.changes() {
		for _, id := range []plugin.ID{absentID(), made.ID} {
			_, err := s.Updater.Update(s.ctx, id, c)
			fails(t, "a change "+what+" of an absent account", err, plugin.ErrNotFound)
		}
	}
	_, err := s.Get(s.ctx, made.ID)
	fails(t, "Get of the deleted account", err, plugin.ErrNotFound)
}

func twoChanges(t TB, s *store) {
	made := s.create(t, s.person())
	_, err := s.Updater.Update(s.ctx, made.ID, plugin.Change{})
	fails(t, "an empty change", err, plugin.ErrInvalid)
	all := s.changes()
	attribute, state, identifier := all["of an attribute"], all["of the state"], all["of an identifier"]
	for what, c := range map[string]plugin.Change{
		"attribute and state":      {Attributes: attribute.Attributes, State: state.State},
		"attribute and identifier": {Attributes: attribute.Attributes, Identifier: identifier.Identifier},
		"state and identifier":     {State: state.State, Identifier: identifier.Identifier},
		"state and groups":         {State: state.State, Groups: &plugin.GroupChange{Add: []string{"x"}}},
	} {
		_, err := s.Updater.Update(s.ctx, made.ID, c)
		fails(t, "a change of "+what+" together", err, plugin.ErrInvalid)
	}
	s.is(t, "after refused changes", made)
	s.absent(t, "after refused changes", *identifier.Identifier.Add)
}

func updateInvalid(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	later := time.Now().Add(plugin.CreateLifetime)
	empty, username, phone := plugin.Key{}, s.username(fresh()), s.phone()
	for what, c := range map[string]plugin.Change{
		"to an empty text":            replace(s.names.FamilyName, texts("Lovelace"), texts("")),
		"to a text with NUL":          replace(s.names.FamilyName, texts("Lovelace"), texts("a\x00")),
		"to a value twice":            replace(s.names.FamilyName, texts("Lovelace"), texts("a", "a")),
		"to an active with a reason":  {State: &plugin.StateChange{New: plugin.State{Reason: "why"}}},
		"of no groups":                {Groups: &plugin.GroupChange{}},
		"of a group both ways":        {Groups: &plugin.GroupChange{Add: []string{"x"}, Remove: []string{"x"}}},
		"of no identifier":            {Identifier: &plugin.IdentifierChange{Attempt: freshAttempt(), NotAfter: later}},
		"without an attempt":          {Identifier: &plugin.IdentifierChange{NotAfter: later, Add: &phone}},
		"without a time":              {Identifier: &plugin.IdentifierChange{Attempt: freshAttempt(), Add: &phone}},
		"to an empty key":             {Identifier: &plugin.IdentifierChange{Attempt: freshAttempt(), NotAfter: later, Add: &empty}},
		"to a second username":        {Identifier: &plugin.IdentifierChange{Attempt: freshAttempt(), NotAfter: later, Add: &username}},
		"that takes the username":     {Identifier: &plugin.IdentifierChange{Attempt: freshAttempt(), NotAfter: later, Drop: &a.Keys[0]}},
		"with a hold of less than no": {Identifier: &plugin.IdentifierChange{Attempt: freshAttempt(), NotAfter: later, Drop: &a.Keys[1], Hold: -1}},
	} {
		_, err := s.Updater.Update(s.ctx, made.ID, c)
		fails(t, "a change "+what, err, plugin.ErrInvalid)
	}
	s.is(t, "after refused changes", made)
	s.holds(t, "after refused changes", made, a.Keys...)
	s.absent(t, "after refused changes", username, phone)
}
