package flow_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/flow"
)

func TestPasswords(t *testing.T) {
	w := newWorld(t, "")
	for _, c := range []struct{ rule, password, want string }{
		{"fourteen characters", "unlucky horse!", "password:min_length"},
		{"fifteen characters", "unlucky horses!", ""},
		{"fifteen characters of three bytes each", "ばぬきつねさるくまとりうしいぬね", ""},
		{"64 characters", strings.Repeat("correct horse ba", 3) + "ttery staple now", ""},
		{"256 characters", "x" + strings.Repeat("ab cd ef gh ij k", 15) + "lm no pq rs tu z", "password:max_length"},
		{"128 characters", goodPassword + strings.Repeat(" and so on it g", 6) + "oes onwar", ""},
		{"1,024 characters", strings.Repeat("a b c d e f g h ", 64), "password:max_length"},
		{"blanks and letters of all kinds", "  ünï cödé  páss  ", ""},
		{"empty", "", "password:required"},
		{"only NUL", "\x00", "password:characters"},
		{"a NUL inside", "the analytical\x00engine", "password:characters"},
		{"a common one", "password1234567890", "password:password_common"},
		{"one character over and over", "aaaaaaaaaaaaaaaaaa", "password:password_common"},
		{"the person's own address", "ada.lovelace@example.org", "password:password_common"},
		{"a part of it that is inside another one", "xx ada.lovelace@example.org xx", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			p := w.begin()
			email := "ada.lovelace@example.org"
			if len(w.store.accounts()) > 0 {
				w.store = newMemoryStore() // the store decides nothing here
				w.store.clock = w.clock.Now
				w.restart("")
			}
			p.toPassword(email)
			err := p.answer("password", items(object{"password": c.password}))
			got := ""
			if err != nil {
				w.problem(err, flow.CodeInvalidInput)
				got = violations(err)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.want == "" && w.store.accounts()[0].made.Password.Reveal() == "" {
				t.Error("the account has no password")
			}
		})
	}
}

func TestPasswordsInTwoUnicodeFormsAreOne(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword("ada@example.org")
	// decomposed, and with an ideographic space
	p.must(p.answer("password", items(object{"password": "cafe\u0301\u3000au lait au lait"})))
	if got := w.store.accounts()[0].made.Password.Reveal(); got != "caf\u00e9 au lait au lait" {
		t.Errorf("the password is %q", got)
	}
}

func TestARepeatedPasswordMustBeEqual(t *testing.T) {
	w := newWorld(t, typed)
	p := w.begin()
	p.must(p.answer("typed", items(full())))
	p.must(p.answer("username", items(object{"username": "ada"})))
	p.must(p.answer("verify-email", object{"code": w.mail.code("ada@example.org")}))
	err := p.answer("secret", items(object{"password": goodPassword, "again": goodPassword + "!"}))
	if got := violations(err); got != ":equal" {
		t.Errorf("got %s", got)
	}
}
