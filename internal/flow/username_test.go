package flow_test

import (
	"testing"
)

func TestChosenUsernames(t *testing.T) {
	w := newWorld(t, typed)
	for _, c := range []struct{ rule, name, want string }{
		{"a good one", "grace", ""},
		{"none", "", "username:required"},
		{"a reserved one", "postmaster", "username:reserved"},
		{"an address", "ada@example.org", "username:username"},
		{"a phone number", "+49301234567", "username:username"},
		{"a look-alike", "аdmin", "username:username"},
		{"a UUID", "123e4567-e89b-12d3-a456-426614174000", "username:max_length"},
		{"one with NUL", "a\x00b", "username:characters"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			p := w.begin()
			p.must(p.answer("typed", items(full())))
			err := p.answer("username", items(object{"username": c.name}))
			got := ""
			if err != nil {
				got = violations(err)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
