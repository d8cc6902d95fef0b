package plugintest

import (
	"errors"
	"fmt"
	"maps"

	"github.com/narthex/narthex/plugin"
)

func attributeRules() []rule {
	needs := []plugin.Capability{plugin.CapUpdater}
	return []rule{
		{
			name:  "Update/attributes are replaced, added and removed, and no other is touched",
			law:   "a change replaces all values of the attributes it names and keeps everything else of the account",
			needs: needs, check: changeAttributes,
		},
		{
			name:  "Update/the old values are compared as a set",
			law:   "the order of several values means nothing",
			needs: needs, check: oldAsSet,
		},
		{
			name:  "Update/another value than the one to be replaced is ErrConflict and changes nothing",
			law:   "a change carries the value that it replaces; the store compares it, so that nobody overwrites what they have not seen",
			needs: needs, check: attributeConflict,
		},
		{
			name:  "Update/attributes change together or not at all",
			law:   "a change is applied whole or not at all",
			needs: needs, check: attributesTogether,
		},
		{
			name:  "Update/of many who replace one value at the same moment one does",
			law:   "to compare and then to write is not enough: of two who have read the same value the second must hear ErrConflict, or an update is lost",
			needs: needs, check: lostUpdate,
		},
		{
			name:  "Update/an attribute that holds the value of a key is ErrInvalid",
			law:   "an identifier changes by a change of identifiers, which keeps it unique, and in no other way",
			needs: needs, check: attributeOfKey,
		},
		{
			name:  "Update/values keep their types",
			law:   "a value comes back with the type and the text that it was given",
			needs: needs, check: updateTyped,
		},
	}
}

func changeAttributes(t TB, s *store) {
	a := s.person()
	a.Attributes[s.names.Notes] = texts("one", "two")
	want := s.create(t, a)
	want.Attributes = maps.Clone(want.Attributes)
	set := func(attribute string, old, to []plugin.Value) {
		t.Helper()
		want.Attributes[attribute] = to
		equal(t, "Update", s.update(t, want.ID, replace(attribute, old, to)), want)
	}
	set(s.names.FamilyName, texts("Lovelace"), texts("King"))
	set(s.names.Notes, texts("one", "two"), texts("two", "three", "four"))
	set(s.names.Notes, texts("two", "three", "four"), nil)
	set(s.names.Notes, nil, texts("back"))
	set(s.names.Notes, texts("back"), texts("back")) // the same again
	s.holds(t, "after changes of attributes", want, a.Keys...)
	if s.Authenticator != nil {
		s.opens(t, "after changes of attributes", want.ID, a.Keys[0], a.Password)
	}
}

func oldAsSet(t TB, s *store) {
	a := s.person()
	a.Attributes[s.names.Notes] = texts("one", "two", "three")
	made := s.create(t, a)
	s.update(t, made.ID, replace(s.names.Notes, texts("three", "one", "two"), texts("four")))
}

func attributeConflict(t TB, s *store) {
	a := s.person()
	a.Attributes[s.names.Notes] = texts("one", "two")
	made := s.create(t, a)
	for what, c := range map[string]plugin.Change{
		"another value":        replace(s.names.FamilyName, texts("Byron"), texts("King")),
		"no value":             replace(s.names.FamilyName, nil, texts("King")),
		"some of the values":   replace(s.names.Notes, texts("one"), texts("three")),
		"more than the values": replace(s.names.Notes, texts("one", "two", "three"), texts("four")),
	} {
		_, err := s.Updater.Update(s.ctx, made.ID, c)
		fails(t, "a change that replaces "+what, err, plugin.ErrConflict)
	}
	s.is(t, "after conflicts", made)

	bare := s.create(t, s.person())
	_, err := s.Updater.Update(s.ctx, bare.ID, replace(s.names.Notes, texts("one"), nil))
	fails(t, "a change that replaces a value that is gone", err, plugin.ErrConflict)
	s.is(t, "after a conflict", bare)
}

func attributesTogether(t TB, s *store) {
	made := s.create(t, s.person())
	_, err := s.Updater.Update(s.ctx, made.ID, plugin.Change{Attributes: map[string]plugin.AttributeChange{
		s.names.GivenName:  {Old: texts("Ada"), New: texts("Grace")},
		s.names.FamilyName: {Old: texts("Byron"), New: texts("Hopper")},
		s.names.Notes:      {New: texts("a note")},
	}})
	fails(t, "a change with one conflict of three", err, plugin.ErrConflict)
	s.is(t, "after a conflict", made)
	if found, err := s.Get(s.ctx, made.ID); err == nil && len(found.Attributes[s.names.Notes]) > 0 {
		t.Errorf("a change with a conflict has added %q", found.Attributes[s.names.Notes])
	}
	after := s.update(t, made.ID, plugin.Change{Attributes: map[string]plugin.AttributeChange{
		s.names.GivenName:  {Old: texts("Ada"), New: texts("Grace")},
		s.names.FamilyName: {Old: texts("Lovelace"), New: texts("Hopper")},
	}})
	if after.Attributes.Text(s.names.GivenName) != "Grace" || after.Attributes.Text(s.names.FamilyName) != "Hopper" {
		t.Errorf("a change of two attributes leaves %q", after.Attributes)
	}
}

func lostUpdate(t TB, s *store) {
	made := s.create(t, s.person())
	current := "Lovelace"
	for round := range s.rounds {
		next := func(i int) string { return fmt.Sprintf("round %d caller %d", round, i) }
		errs := atOnce(s.callers, func(i int) error {
			_, err := s.Updater.Update(s.ctx, made.ID, replace(s.names.FamilyName, texts(current), texts(next(i))))
			return err
		})
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("callers %d and %d have both replaced %q: the update of one is lost", winner, i, current)
			case err == nil:
				winner = i
			case !errors.Is(err, plugin.ErrConflict) && !errors.Is(err, plugin.ErrUnavailable):
				t.Errorf("a caller who was too late: %v, want ErrConflict", err)
			}
		}
		if winner < 0 {
			t.Fatalf("nobody could replace %q: %v", current, errs)
		}
		current = next(winner)
		found, err := s.Get(s.ctx, made.ID)
		must(t, "Get", err)
		if got := found.Attributes.Text(s.names.FamilyName); got != current {
			t.Fatalf("the value is %q, and the one update that succeeded made it %q", got, current)
		}
	}
}

func attributeOfKey(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	for _, k := range a.Keys {
		for what, to := range map[string][]plugin.Value{"another value": texts("x" + k.Value), "nothing": nil} {
			_, err := s.Updater.Update(s.ctx, made.ID, replace(k.Attribute, texts(k.Value), to))
			fails(t, fmt.Sprintf("a change of the attribute of the %s to %s", k.Kind, what), err, plugin.ErrInvalid)
		}
	}
	s.is(t, "after refused changes", made)
	s.holds(t, "after refused changes", made, a.Keys...)
}

func updateTyped(t TB, s *store) {
	made := s.create(t, s.person())
	for kind, values := range map[plugin.ValueType][2]plugin.Value{
		plugin.TypeBoolean:  {plugin.BoolValue(true), plugin.BoolValue(false)},
		plugin.TypeInteger:  {plugin.IntValue(-1), plugin.IntValue(9223372036854775807)},
		plugin.TypeDate:     {{Type: plugin.TypeDate, Text: "2024-02-29"}, {Type: plugin.TypeDate, Text: "0001-01-01"}},
		plugin.TypeDateTime: {{Type: plugin.TypeDateTime, Text: "2026-01-01T00:00:00Z"}, {Type: plugin.TypeDateTime, Text: "1969-12-31T23:59:59Z"}},
	} {
		if !s.keeps(kind) {
			continue
		}
		name, first, second := s.names.Typed[kind], values[:1], values[1:]
		s.update(t, made.ID, replace(name, nil, first))
		after := s.update(t, made.ID, replace(name, first, second))
		if !sameSet(after.Attributes[name], second) {
			t.Errorf("a %s value comes back as %q, want %q", kind, after.Attributes[name], second)
		}
	}
}
