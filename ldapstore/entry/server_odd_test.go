package entry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

func (l *lab) oddNames(t *testing.T) {
	t.Run("a username with any character names one entry right below people", func(t *testing.T) {
		for i, name := range []string{
			"a,ou=groups", "a+mail=x", `a"b`, `a\b`, "#hash", "a=b", "a;b", "a<b>c", " blank", "*", "(uid=*)", `a\2cb`, strings.Repeat("x", 64), strings.Repeat("y", 65),
			strings.Repeat("z", 235), strings.Repeat("z", 240), strings.Repeat("z", 300), strings.Repeat("z", 2000), strings.Repeat("中", 79), strings.Repeat("ﷺ", 20), strings.Repeat("ﷺ", 60), strings.Repeat(",", 110),
			"new\nline", "objectClass: account\ncn: x",
		} {
			a := account("x")
			a.Keys[0].Value = name
			a.Keys[1].Value = fmt.Sprintf("odd%d@example.org", i)
			d, err := l.create(t, a, map[string]int64{"uidNumber": int64(30_000 + i)})
			if errors.Is(err, plugin.ErrInvalid) {
				continue // the home directory or a line of passwd would break
			}
			if err != nil {
				t.Errorf("%.20q with %d bytes: %v", name, len(name), err)
				continue
			}
			if !d.DN.Parent().Equal(l.People.Base) {
				t.Errorf("%q stands at %q", name, d.DN)
			}
			if got := l.parse(t, d.DN).Username; got != name {
				t.Errorf("%q reads back as %q", name, got)
			}
		}
	})
}

// oddSearches compares what the server finds for a key with what it should find, counted here.
func (l *lab) oddSearches(t *testing.T) {
	t.Run("a search by any text finds exactly the accounts that have it", func(t *testing.T) {
		texts := []string{
			"*", "(", ")", `\`, "&", "|", "!", "(|(objectClass=*))", "*)(uid=*", "a*", "a(b", `a\2a`, "a\x01b", `"`, "a,b", "a+b", "#a", "a=b", "<GUID=1>", "\xc3\xa9", "a;b", "A;B",
		}
		var held []string
		for i, text := range texts {
			dn := l.People.Base.Child("cn", fmt.Sprintf("odd search %d", i))
			err := l.admin.Add(t.Context(), dn, []directory.Attribute{
				{Name: "objectClass", Values: l.People.ObjectClasses[:1]}, {Name: "cn", Values: []string{fmt.Sprintf("odd search %d", i)}},
				{Name: "sn", Values: []string{"x"}}, {Name: "carLicense", Values: []string{text}},
			})
			must(t, err)
			held = append(held, text)
		}
		for _, text := range append(texts, "", " ", "b", "**", "a*b", `\2a`, `\5c`, "\x00", "odd search 1") {
			var want, got []string
			for _, h := range held {
				if strings.EqualFold(h, text) {
					want = append(want, h)
				}
			}
			found, err := l.service.Search(t.Context(), l.People.Base, directory.Subtree, l.Holding(plugin.Key{Kind: plugin.KindUnique, Value: text}), 0, "carLicense")
			if err != nil && !directory.Refused(err) {
				t.Errorf("%q: %v", text, err)
			}
			for _, e := range found {
				got = append(got, e.Values("carLicense")...)
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%q finds %q, want %q", text, got, want)
			}
		}
	})
}
