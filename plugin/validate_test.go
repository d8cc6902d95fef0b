package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
)

// blames fails unless err is ErrInvalid and names the field; "" for none.
func blames(t *testing.T, err error, field, code string) {
	t.Helper()
	if !errors.Is(err, plugin.ErrInvalid) {
		t.Errorf("want ErrInvalid, got %v", err)
		return
	}
	var blamed *plugin.FieldError
	if !errors.As(err, &blamed) {
		blamed = &plugin.FieldError{}
	}
	if blamed.Field != field || blamed.Code != code {
		t.Errorf("blamed %q %q, want %q %q (%v)", blamed.Field, blamed.Code, field, code, err)
	}
}

func TestNewAccountRules(t *testing.T) {
	long := strings.Repeat("x", plugin.MaxValueBytes+1)
	values := func(n int) (list []plugin.Value) {
		for i := range n {
			list = append(list, plugin.IntValue(int64(i)))
		}
		return list
	}
	for _, c := range []struct {
		rule, field, code string
		alter             func(*plugin.NewAccount)
	}{
		{"an attempt is 32 digits", "", "", func(a *plugin.NewAccount) { a.Attempt = "abc" }},
		{"an attempt has lower case", "", "", func(a *plugin.NewAccount) { a.Attempt = plugin.Attempt(strings.ToUpper(string(attempt))) }},
		{"an execution ends", "", "", func(a *plugin.NewAccount) { a.NotAfter = time.Time{} }},
		{"there is a username", "", "", func(a *plugin.NewAccount) { a.Keys = a.Keys[1:] }},
		{"there is one username", "", "", func(a *plugin.NewAccount) { a.Keys = append(a.Keys, usernameKey("bob")) }},
		{"a canonical key stands once", "mail", "invalid", func(a *plugin.NewAccount) { a.Keys = append(a.Keys, a.Keys[1]) }},
		{"kinds are known", "", "", func(a *plugin.NewAccount) { a.Keys[1].Kind = "fax" }},
		{"a canonical key is not empty", "", "", func(a *plugin.NewAccount) { a.Keys[1].Canonical = "" }},
		{"a canonical key has a bound", "", "", func(a *plugin.NewAccount) { a.Keys[1].Canonical = long }},
		{"a key has a value", "mail", "invalid", func(a *plugin.NewAccount) { a.Keys[1].Value = "" }},
		{"a value has no NUL", "mail", "invalid", func(a *plugin.NewAccount) { a.Keys[1].Value = "a\x00b" }},
		{"a value is UTF-8", "mail", "invalid", func(a *plugin.NewAccount) { a.Keys[1].Value = "\xff" }},
		{"a key's value has a bound", "mail", "too_long", func(a *plugin.NewAccount) { a.Keys[1].Value = long }},
		{"a key names its attribute", "", "", func(a *plugin.NewAccount) { a.Keys[1].Attribute = "" }},
		{"a merely unique value opens no login", "mail", "invalid", func(a *plugin.NewAccount) { a.Keys[1].Kind = plugin.KindUnique }},
		{"keys have a bound", "", "", func(a *plugin.NewAccount) {
			for i := range plugin.MaxKeys {
				a.Keys = append(a.Keys, emailKey(fmt.Sprint(i)))
			}
		}},
		{"a key's value stands in its key only", "mail", "invalid", func(a *plugin.NewAccount) {
			a.Attributes["mail"] = []plugin.Value{plugin.StringValue("alice@example.org")}
		}},
		{"attributes have names", "", "", func(a *plugin.NewAccount) { a.Attributes[""] = values(1) }},
		{"names have no control characters", "", "", func(a *plugin.NewAccount) { a.Attributes["a\nb"] = values(1) }},
		{"attributes have a bound", "", "", func(a *plugin.NewAccount) {
			for i := range plugin.MaxAttributes {
				a.Attributes[fmt.Sprint(i)] = values(1)
			}
		}},
		{"values have a bound", "sn", "too_long", func(a *plugin.NewAccount) { a.Attributes["sn"] = values(plugin.MaxValues + 1) }},
		{"a text has a bound", "sn", "too_long", func(a *plugin.NewAccount) { a.Attributes["sn"] = []plugin.Value{plugin.StringValue(long)} }},
		{"a value is not empty", "sn", "invalid", func(a *plugin.NewAccount) { a.Attributes["sn"] = []plugin.Value{plugin.StringValue("")} }},
		{"values are a set", "sn", "invalid", func(a *plugin.NewAccount) { a.Attributes["sn"] = append(values(2), values(1)...) }},
		{"values are of their type", "sn", "invalid", func(a *plugin.NewAccount) {
			a.Attributes["sn"] = []plugin.Value{{Type: plugin.TypeBoolean, Text: "yes"}}
		}},
		{"a type must be listed by the store", "born", "invalid", func(a *plugin.NewAccount) {
			a.Attributes["born"] = []plugin.Value{plugin.DateValue(whole)}
		}},
		{"the store's own bound counts", "sn", "too_long", func(a *plugin.NewAccount) {
			a.Attributes["sn"] = []plugin.Value{plugin.StringValue(strings.Repeat("x", 101))}
		}},
		{"a password has a bound", plugin.PasswordField, "too_long", func(a *plugin.NewAccount) { a.Password = plugin.NewSecret(long) }},
		{"a password has no NUL", plugin.PasswordField, "invalid", func(a *plugin.NewAccount) { a.Password = plugin.NewSecret("\x00") }},
		{"a password is UTF-8", plugin.PasswordField, "invalid", func(a *plugin.NewAccount) { a.Password = plugin.NewSecret("\xff\xfe") }},
		{"an active account has no reason", "", "", func(a *plugin.NewAccount) { a.State.Reason = "because" }},
		{"a reason has a bound", "", "", func(a *plugin.NewAccount) { a.State = plugin.State{Locked: true, Reason: long} }},
		{"groups are a set", "", "", func(a *plugin.NewAccount) { a.Groups = []string{"staff", "staff"} }},
		{"groups have names", "", "", func(a *plugin.NewAccount) { a.Groups = []string{" "} }},
		{"an account has a bound", "", "", func(a *plugin.NewAccount) {
			for i := range 70 {
				a.Attributes[fmt.Sprint("a", i)] = []plugin.Value{plugin.StringValue(long[1:])}
			}
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := &scripted{}
			s.description.ValueTypes = []plugin.ValueType{plugin.TypeInteger, plugin.TypeBoolean}
			if strings.HasPrefix(c.rule, "the store's own") {
				s.description.Limits.MaxValueBytes = 100
			}
			s.create = func(context.Context, plugin.NewAccount) (plugin.Account, error) {
				t.Error("the store sees it")
				return plugin.Account{}, nil
			}
			a := newcomer()
			c.alter(&a)
			_, err := overWire(t, s).Create(t.Context(), a)
			blames(t, err, c.field, c.code)
		})
	}
	t.Run("a good account passes", func(t *testing.T) {
		if err := newcomer().Validate(); err != nil {
			t.Error(err)
		}
	})
	t.Run("an account that nobody can log in to needs no password", func(t *testing.T) {
		a := newcomer()
		a.Password = plugin.Secret{}
		if err := a.Validate(); err != nil {
			t.Error(err)
		}
	})
}

func TestChangeRules(t *testing.T) {
	key, username := emailKey("new@example.org"), usernameKey("bob")
	identifier := func(add, drop *plugin.Key) plugin.Change {
		return plugin.Change{Identifier: &plugin.IdentifierChange{Attempt: attempt, NotAfter: whole, Add: add, Drop: drop}}
	}
	good := map[string]plugin.Change{
		"attributes": {Attributes: map[string]plugin.AttributeChange{"sn": {New: []plugin.Value{plugin.StringValue("x")}}}},
		"state":      lock,
		"groups":     {Groups: &plugin.GroupChange{Add: []string{"staff"}}},
		"identifier": identifier(&key, nil),
	}
	for name, c := range good {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	two := lock
	two.Groups = good["groups"].Groups
	negative := identifier(&key, nil)
	negative.Identifier.Hold = -time.Second
	endless := identifier(&key, nil)
	endless.Identifier.NotAfter = time.Time{}
	for _, c := range []struct {
		rule, field, code string
		change            plugin.Change
	}{
		{"a change changes something", "", "", plugin.Change{}},
		{"a change changes one thing", "", "", two},
		{"groups are added or removed", "", "", plugin.Change{Groups: &plugin.GroupChange{}}},
		{"a group is not added and removed", "", "", plugin.Change{Groups: &plugin.GroupChange{Add: []string{"a"}, Remove: []string{"a"}}}},
		{"an identifier is added or dropped", "", "", identifier(nil, nil)},
		{"the username stays", "uid", "read_only", identifier(&username, nil)},
		{"the username is not dropped", "uid", "read_only", identifier(nil, &username)},
		{"a key is held for some time", "", "", negative},
		{"an execution ends", "", "", endless},
		{"new values keep the rules", "sn", "invalid", plugin.Change{Attributes: map[string]plugin.AttributeChange{
			"sn": {New: []plugin.Value{{Type: plugin.TypeInteger, Text: "+1"}}},
		}}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := &scripted{update: func(context.Context, plugin.ID, plugin.Change) (plugin.Account, error) {
				t.Error("the store sees it")
				return plugin.Account{}, nil
			}}
			_, err := overWire(t, s).Updater.Update(t.Context(), "1", c.change)
			blames(t, err, c.field, c.code)
		})
	}
}

func TestPasswordsThatAreNobodysAreDeniedUnseen(t *testing.T) {
	s := &scripted{authenticate: func(context.Context, plugin.Key, plugin.Secret) (plugin.Account, error) {
		t.Error("the store sees it")
		return plugin.Account{ID: "1", Username: "alice"}, nil
	}}
	b := overWire(t, s)
	for name, password := range map[string]string{
		"empty": "", "NUL": "\x00", "with NUL": "a\x00b", "not UTF-8": "\xff", "too long": strings.Repeat("x", plugin.MaxPasswordBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Authenticator.Authenticate(t.Context(), usernameKey("alice"), plugin.NewSecret(password))
			isExactly(t, err, plugin.ErrDenied)
		})
	}
	t.Run("nobody's password cannot be set either", func(t *testing.T) {
		s.setPassword = func(context.Context, plugin.ID, plugin.Secret) error { t.Error("the store sees it"); return nil }
		blames(t, b.PasswordSetter.SetPassword(t.Context(), "1", plugin.Secret{}), plugin.PasswordField, plugin.CodeTooShort)
		blames(t, b.PasswordSetter.SetPassword(t.Context(), "1", plugin.NewSecret("\x00")), plugin.PasswordField, plugin.CodeInvalid)
	})
}

func TestOf(t *testing.T) {
	t.Run("a store without capabilities offers none but a schema", func(t *testing.T) {
		b, err := plugin.Of(t.Context(), &bare{})
		if err != nil {
			t.Fatal(err)
		}
		if b.Authenticator != nil || b.PasswordSetter != nil || b.Updater != nil || b.Lister != nil || b.Maintainer != nil || b.Statuses != nil {
			t.Errorf("got %+v", b)
		}
		if got := fmt.Sprint(b.Description.Capabilities); got != "[schema-checker]" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("what is withheld is not offered", func(t *testing.T) {
		s := &scripted{}
		s.description.Withheld = []plugin.Capability{plugin.CapUpdater}
		for _, b := range []plugin.Backend{of(t, s), overWire(t, s)} {
			if b.Updater != nil || b.Authenticator == nil {
				t.Errorf("got %v", b.Description.Capabilities)
			}
		}
	})
	t.Run("limits have defaults", func(t *testing.T) {
		want := plugin.Limits{
			MaxValueBytes: plugin.MaxValueBytes, MaxAttributes: plugin.MaxAttributes, MaxKeys: 2, MaxPasswordBytes: plugin.MaxPasswordBytes,
		}
		if got := of(t, &bare{description: plugin.Description{Limits: plugin.Limits{MaxKeys: 2}}}).Description.Limits; got != want {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a backend is not opened twice", func(t *testing.T) {
		b := of(t, &scripted{})
		b.Updater = nil // a decorator's choice
		if of(t, b).Updater != nil {
			t.Error("the choice is lost")
		}
	})
	t.Run("a description that breaks the contract is refused", func(t *testing.T) {
		if _, err := plugin.Of(t.Context(), &bare{description: plugin.Description{Name: "My Store"}}); !errors.Is(err, plugin.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func of(t *testing.T, p plugin.Persister) plugin.Backend {
	t.Helper()
	b, err := plugin.Of(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
