package entry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// refusal spoils an account that the server refuses then, and names the field to blame.
type refusal struct {
	spoil func(*plugin.NewAccount)
	field string
}

func (l *lab) refusals(t *testing.T) {
	text := func(field, text string) refusal {
		return refusal{func(a *plugin.NewAccount) { a.Attributes[field] = []plugin.Value{plugin.StringValue(text)} }, field}
	}
	cases := map[string]refusal{
		"a password that the policy refuses is the password's fault": {func(a *plugin.NewAccount) { a.Password = plugin.NewSecret("ab") }, plugin.PasswordField},
	}
	if l.server.Kind == directory.ActiveDirectory {
		cases["a text that is too long is its field's fault"] = text("givenName", strings.Repeat("x", 65))
		cases["an attribute that the classes do not allow is blamed"] = text("groupType", "2")
	} else {
		cases["an address that the syntax refuses is its field's fault"] = refusal{func(a *plugin.NewAccount) { a.Keys[1].Value = "jürgen@example.org" }, "mail"}
		cases["a text that the syntax refuses is its field's fault"] = text("telephoneNumber", "#!")
		cases["an attribute that the classes do not allow is blamed"] = text("dNSDomain", "x")
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			a := account("refused")
			c.spoil(&a)
			_, err := l.create(t, a, map[string]int64{"uidNumber": 20_003})
			if field := (*plugin.FieldError)(nil); !errors.As(err, &field) || field.Field != c.field || !errors.Is(err, plugin.ErrInvalid) {
				t.Errorf("the error is %v", err)
			}
			if left := l.dir.LDAPSearch(t, l.dir.Pending, "(|(uid=refused)(sAMAccountName=refused))", "mail"); strings.Contains(left, "mail: ") {
				t.Errorf("something is left behind:\n%s", left)
			}
		})
	}
}
