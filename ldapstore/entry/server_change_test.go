package entry_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

func (l *lab) groups(t *testing.T) {
	t.Run("joining and leaving a group twice is harmless", func(t *testing.T) {
		d, err := l.create(t, account("member"), map[string]int64{"uidNumber": 20_001})
		must(t, err)
		if !slices.Equal(d.Groups, []string{"staff"}) {
			t.Errorf("the groups to join are %q", d.Groups)
		}
		m := entry.Member{DN: d.DN, ID: l.parse(t, d.DN).ID, Username: "member"}
		listing := func() (names []string) {
			for _, name := range []string{"staff", "unix"} {
				list, err := l.admin.Read(t.Context(), l.Groups[name].DN, "member", "memberUid")
				must(t, err)
				if slices.ContainsFunc(list.Values("member"), func(v string) bool { return directory.DN(v).Equal(d.DN) }) || slices.Contains(list.Values("memberUid"), "member") {
					names = append(names, name)
				}
			}
			return names
		}
		for _, name := range []string{"staff", "unix"} {
			for range 2 {
				must(t, l.Join(t.Context(), l.admin, name, m))
			}
			if got := listing(); !slices.Equal(got, []string{name}) {
				t.Errorf("the groups are %q, want %s", got, name)
			}
			for range 2 {
				must(t, l.Leave(t.Context(), l.admin, name, m))
			}
			if got := listing(); len(got) > 0 {
				t.Errorf("the groups are still %q", got)
			}
		}
		if err := l.Join(t.Context(), l.admin, "unknown", m); !errors.Is(err, plugin.ErrInvalid) {
			t.Errorf("joining an unknown group: %v", err)
		}
	})
}

func (l *lab) changes(t *testing.T) {
	t.Run("a change replaces what was read, and meets a conflict otherwise", func(t *testing.T) {
		several := "description"
		if l.server.Kind == directory.ActiveDirectory {
			several = "otherMobile"
		}
		a := account("changing")
		a.Attributes[several] = []plugin.Value{plugin.StringValue("Ada")}
		d, err := l.create(t, a, map[string]int64{"uidNumber": 20_002})
		must(t, err)
		text := func(values ...string) (all []plugin.Value) {
			for _, v := range values {
				all = append(all, plugin.StringValue(v))
			}
			return all
		}
		change := func(from, to []plugin.Value) map[string]plugin.AttributeChange {
			return map[string]plugin.AttributeChange{several: {Old: from, New: to}}
		}
		before := l.read(t, d.DN)
		first, err := l.AttributeChanges(change(text("Ada"), text("Grace", "Ada")), before)
		must(t, err)
		late, err := l.AttributeChanges(change(text("Ada"), text("Late")), before)
		must(t, err)
		late = append(late, l.MarkChanges(before, "run-late")...)
		must(t, l.admin.Modify(t.Context(), d.DN, append(first, l.MarkChanges(before, "run-1")...), directory.Filter{}))
		if err := l.admin.Modify(t.Context(), d.DN, late, directory.Filter{}); !directory.Refused(err, directory.NoSuchAttribute) {
			t.Errorf("a late change: %v", err)
		}
		if _, err := l.AttributeChanges(change(text("Ada"), text("Late")), l.read(t, d.DN)); !errors.Is(err, plugin.ErrConflict) {
			t.Errorf("a change of another value: %v", err)
		}
		if got := l.parse(t, d.DN).Attributes[several]; len(got) != 2 {
			t.Errorf("%s is %q", several, got)
		}
		removed, err := l.AttributeChanges(change(text("Ada", "Grace"), nil), l.read(t, d.DN))
		must(t, err)
		must(t, l.admin.Modify(t.Context(), d.DN, removed, directory.Filter{}))
		for _, name := range []string{"uid", "mail", "uidNumber", "userPassword", l.Mark, "loginShell", "objectClass"} {
			_, err := l.AttributeChanges(map[string]plugin.AttributeChange{name: {New: text("x")}}, l.read(t, d.DN))
			if field := (*plugin.FieldError)(nil); !errors.As(err, &field) || field.Code != plugin.CodeReadOnly {
				t.Errorf("a change of %s: %v", name, err)
			}
		}
	})
}

func (l *lab) keys(t *testing.T) {
	t.Run("an account is found by its keys alone, whatever characters they have", func(t *testing.T) {
		a := account("keys")
		a.Keys[1].Value = "o'neil*(x)@example.org"
		_, err := l.create(t, a, map[string]int64{"uidNumber": 20_004})
		must(t, err)
		found := func(k plugin.Key) int {
			entries, err := l.service.Search(t.Context(), l.People.Base, directory.Subtree, l.Holding(k), 0, "1.1")
			must(t, err)
			return len(entries)
		}
		upper, star, wrongKind, other := a.Keys[1], a.Keys[1], a.Keys[1], a.Keys[1]
		upper.Value, star.Value, wrongKind.Kind, other.Value = "O'NEIL*(X)@EXAMPLE.ORG", "o'neil*", plugin.KindPhone, "new@example.org"
		if found(a.Keys[0]) != 1 || found(a.Keys[1]) != 1 || found(upper) != 1 || found(star) != 0 || found(wrongKind) != 0 || found(other) != 0 {
			t.Error("a key finds what it should not, or not what it should")
		}
	})
}
