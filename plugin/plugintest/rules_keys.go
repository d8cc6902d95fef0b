package plugintest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/narthex/narthex/plugin"
)

func keyRules() []rule {
	return []rule{
		{
			name:  "Create/a key that another account holds is ErrExists and names its attribute",
			law:   "a key belongs to one account; who wants it as well hears ErrExists in a *FieldError with the attribute of the key",
			check: takenKey,
		},
		{
			name:  "Create/the keys of an account are taken all or none",
			law:   "a creation that fails at one key leaves the others free and nothing behind",
			check: allKeysOrNone,
		},
		{
			name:  "Create/username, email and phone share one namespace",
			law:   "whatever its kind, an identifier's canonical key belongs to one account: nobody may be called by another's address",
			check: oneNamespace,
		},
		{
			name:  "Create/keys are told apart byte by byte",
			law:   "the canonical key is compared byte by byte: how spellings are folded into one is the host's business, not the store's",
			check: byteByByte,
		},
	}
}

func takenKey(t TB, s *store) {
	first := s.person()
	first.Keys = append(first.Keys, s.phone(), s.unique())
	made := s.create(t, first)
	for i, taken := range first.Keys {
		second := s.person()
		if i == 0 {
			second.Keys[0] = taken
		} else {
			second.Keys = append(second.Keys[:1], taken)
		}
		_, err := s.Create(s.ctx, second)
		blames(t, fmt.Sprintf("Create with the %s of another account", taken.Kind), err, plugin.ErrExists, taken.Attribute)
		s.holds(t, "after a refused Create", made, taken)
	}
}

func allKeysOrNone(t TB, s *store) {
	first := s.person()
	holder := s.create(t, first)
	second := s.person()
	second.Keys = []plugin.Key{second.Keys[0], s.phone(), first.Keys[1], s.unique()}
	_, err := s.Create(s.ctx, second)
	blames(t, "Create with a taken third key", err, plugin.ErrExists, s.names.Email)
	free := []plugin.Key{second.Keys[0], second.Keys[1], second.Keys[3]}
	s.absent(t, "after a refused Create", free...)

	third := s.person()
	third.Keys = free
	made := s.create(t, third)
	s.holds(t, "with the keys that the refused Create wanted", made, free...)
	s.is(t, "the holder of the taken key", holder)
}

func oneNamespace(t TB, s *store) {
	for _, first := range []plugin.KeyKind{plugin.KindUsername, plugin.KindEmail, plugin.KindPhone} {
		for _, second := range []plugin.KeyKind{plugin.KindUsername, plugin.KindEmail, plugin.KindPhone} {
			if first == second {
				continue
			}
			canonical := "1:" + fresh()
			a, b := s.personCalled(first, canonical), s.personCalled(second, canonical)
			made := s.create(t, a)
			_, err := s.Create(s.ctx, b)
			what := fmt.Sprintf("Create with a %s whose canonical key is another's %s", second, first)
			blames(t, what, err, plugin.ErrExists, s.attribute(second))
			s.is(t, "after a refused Create", made)
		}
	}
}

// personCalled is a person whose key of a kind has this canonical form.
func (s *store) personCalled(kind plugin.KeyKind, canonical string) plugin.NewAccount {
	a := s.person()
	switch kind {
	case plugin.KindUsername:
		a.Keys[0].Canonical = canonical
	case plugin.KindPhone:
		a.Keys[1] = s.phone()
		a.Keys[1].Canonical = canonical
	default:
		a.Keys[1].Canonical = canonical
	}
	return a
}

func (s *store) attribute(kind plugin.KeyKind) string {
	switch kind {
	case plugin.KindUsername:
		return s.names.Username
	case plugin.KindPhone:
		return s.names.Phone
	case plugin.KindEmail:
		return s.names.Email
	default:
		return s.names.Unique
	}
}

// spellings are canonical keys that differ in what databases and directories like to overlook.
func spellings(base string) []string {
	return []string{
		base + "a", base + "A", base + "a ", " " + base + "a", base + "  a", base + "á", base + "a\u0301", base + "ａ", base + "ß", base + "ss",
		base + "ı", base + "i", base + "%", base + "_", base + "*", base + "\\", base + "a\u200b", base + "aa", base, strings.ToUpper(base) + "a",
		base + strings.Repeat("x", 300),
	}
}

func byteByByte(t TB, s *store) {
	list := spellings("1:" + fresh())
	made := make([]plugin.Account, len(list))
	keys := make([]plugin.Key, len(list))
	for i, canonical := range list {
		a := s.person()
		a.Keys[1].Canonical = canonical
		var err error
		if made[i], err = s.Create(s.ctx, a); errors.Is(err, plugin.ErrExists) {
			t.Fatalf("the canonical key %q is taken for another spelling: %v", canonical, err)
		}
		must(t, "Create", err)
		keys[i] = a.Keys[1]
	}
	for i := range list {
		s.holds(t, fmt.Sprintf("the canonical key %q", list[i]), made[i], keys[i])
	}
}
