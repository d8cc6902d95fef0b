package plugintest

import (
	"fmt"
	"strings"

	"github.com/narthex/narthex/plugin"
)

func lookupRules() []rule {
	return []rule{
		{
			name:  "Lookup/another spelling with the same canonical key finds the account",
			law:   "people type their names as they like: the canonical key is what counts",
			check: otherSpelling,
		},
		{
			name:  "Lookup/a canonical key that differs in case, blanks or accents finds nobody",
			law:   "the canonical key is compared byte by byte, whatever the database or directory would call equal",
			check: otherCanonical,
		},
		{
			name: "Lookup/an unknown key is ErrNotFound",
			law:  "there is no such account: ErrNotFound, and no empty account",
			check: func(t TB, s *store) {
				s.absent(t, "an unknown key", s.username(fresh()), s.email(fresh()), s.phone(), s.unique())
			},
		},
		{
			name:  "Lookup/a key that breaks a rule of the contract is ErrInvalid",
			law:   "a key has a kind, a canonical form and a value; an empty one must never find anybody",
			check: invalidKey,
		},
		{
			name:  "Get/an unknown id is ErrNotFound, and one that is none is ErrInvalid",
			law:   "there is no such account: ErrNotFound, and no empty account",
			check: unknownID,
		},
	}
}

func otherSpelling(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	typed := a.Keys[1]
	typed.Value = strings.ToUpper(typed.Value)
	s.holds(t, "typed in capitals", made, typed)
	typed.Attribute, typed.Login = "", false // Lookup needs neither
	s.holds(t, "with nothing but kind, canonical form and value", made, typed)
}

func otherCanonical(t TB, s *store) {
	a := s.person()
	s.create(t, a)
	for _, k := range a.Keys {
		for _, canonical := range []string{
			strings.ToUpper(k.Canonical), " " + k.Canonical, k.Canonical + " ", k.Canonical + "\u200b", k.Canonical + "\u0301",
			strings.Replace(k.Canonical, "t", "ｔ", 1), k.Canonical[:len(k.Canonical)-1], k.Canonical + "*", k.Canonical[:3] + "*", k.Canonical[:3] + "%",
			strings.TrimPrefix(k.Canonical, "1:"), "2:" + strings.TrimPrefix(k.Canonical, "1:"),
		} {
			other := k
			other.Canonical = canonical
			s.absent(t, fmt.Sprintf("looked up as %q", canonical), other)
		}
	}
}

func invalidKey(t TB, s *store) {
	good := s.email(fresh())
	for what, spoil := range map[string]func(*plugin.Key){
		"without a canonical form": func(k *plugin.Key) { k.Canonical = "" },
		"without a value":          func(k *plugin.Key) { k.Value = "" },
		"of an unknown kind":       func(k *plugin.Key) { k.Kind = "name" },
		"without a kind":           func(k *plugin.Key) { k.Kind = "" },
		"with NUL":                 func(k *plugin.Key) { k.Canonical += "\x00" },
		"that is no UTF-8":         func(k *plugin.Key) { k.Value += "\xff" },
		"that is too long":         func(k *plugin.Key) { k.Canonical = strings.Repeat("x", plugin.MaxCanonicalBytes+1) },
	} {
		k := good
		spoil(&k)
		_, err := s.Lookup(s.ctx, k)
		fails(t, "Lookup of a key "+what, err, plugin.ErrInvalid)
	}
}

func unknownID(t TB, s *store) {
	_, err := s.Get(s.ctx, absentID())
	fails(t, "Get of an unknown id", err, plugin.ErrNotFound)
	for _, id := range []plugin.ID{"", "two words", "\x00", plugin.ID(strings.Repeat("x", plugin.MaxNameBytes+1))} {
		_, err := s.Get(s.ctx, id)
		fails(t, fmt.Sprintf("Get of the id %.20q", id), err, plugin.ErrInvalid)
		fails(t, fmt.Sprintf("Delete of the id %.20q", id), s.Delete(s.ctx, id), plugin.ErrInvalid)
	}
}
