package plugintest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/plugin"
)

// must ends the rule if there is an error.
func must(t TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// fails complains unless err is the sentinel.
func fails(t TB, what string, err, sentinel error) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s succeeded, want %q", what, sentinel)
	case !errors.Is(err, sentinel):
		t.Errorf("%s: errors.Is does not find %q in: %v", what, sentinel, err)
	}
}

// blames complains unless err is the sentinel in a *FieldError that names the field.
func blames(t TB, what string, err, sentinel error, field string) {
	t.Helper()
	fails(t, what, err, sentinel)
	if !errors.Is(err, sentinel) {
		return
	}
	var blamed *plugin.FieldError
	if !errors.As(err, &blamed) {
		t.Errorf("%s: the error is in no *FieldError, so nobody can tell which field is to blame: %v", what, err)
	} else if blamed.Field != field {
		t.Errorf("%s: the *FieldError names %q, want %q", what, blamed.Field, field)
	}
}

// create makes an account or ends the rule.
func (s *store) create(t TB, a plugin.NewAccount) plugin.Account {
	t.Helper()
	made, err := s.Create(s.ctx, a)
	must(t, "Create", err)
	return made
}

// createOrRefuse makes an account. A store with a schema of its own may refuse a text, if it names the attribute and
// leaves nothing behind; then the answer is false.
func (s *store) createOrRefuse(t TB, a plugin.NewAccount, attributes ...string) (plugin.Account, bool) {
	t.Helper()
	made, err := s.Create(s.ctx, a)
	var blamed *plugin.FieldError
	if errors.Is(err, plugin.ErrInvalid) && errors.As(err, &blamed) && slices.Contains(attributes, blamed.Field) && s.hasSchema() {
		s.absent(t, "after a refused Create", a.Keys...)
		return plugin.Account{}, false
	}
	must(t, "Create", err)
	return made, true
}

// holds complains unless Lookup finds the account under each key.
func (s *store) holds(t TB, what string, want plugin.Account, keys ...plugin.Key) {
	t.Helper()
	for _, k := range keys {
		found, err := s.Lookup(s.ctx, k)
		switch {
		case err != nil:
			t.Errorf("%s: Lookup by %s: %v", what, k.Kind, err)
		case found.ID != want.ID:
			t.Errorf("%s: Lookup by %s finds account %s, want %s", what, k.Kind, found.ID, want.ID)
		default:
			equal(t, what+": Lookup by "+string(k.Kind), found, want)
		}
	}
}

// absent complains unless Lookup finds nobody under each key.
func (s *store) absent(t TB, what string, keys ...plugin.Key) {
	t.Helper()
	for _, k := range keys {
		if found, err := s.Lookup(s.ctx, k); err == nil {
			t.Errorf("%s: Lookup by %s finds account %s, want ErrNotFound", what, k.Kind, found.ID)
		} else if !errors.Is(err, plugin.ErrNotFound) {
			t.Errorf("%s: Lookup by %s: %v, want ErrNotFound", what, k.Kind, err)
		}
	}
}

// is complains unless Get shows the account as wanted.
func (s *store) is(t TB, what string, want plugin.Account) {
	t.Helper()
	found, err := s.Get(s.ctx, want.ID)
	if err != nil {
		t.Errorf("%s: Get: %v", what, err)
		return
	}
	equal(t, what+": Get", found, want)
}

// opens complains unless the password opens the account with this key.
func (s *store) opens(t TB, what string, want plugin.ID, k plugin.Key, p plugin.Secret) {
	t.Helper()
	found, err := s.Authenticator.Authenticate(s.ctx, k, p)
	if err != nil {
		t.Errorf("%s: Authenticate: %v", what, err)
	} else if found.ID != want {
		t.Errorf("%s: Authenticate opens account %s, want %s", what, found.ID, want)
	}
}

// denies complains unless the password is denied.
func (s *store) denies(t TB, what string, k plugin.Key, p plugin.Secret) {
	t.Helper()
	_, err := s.Authenticator.Authenticate(s.ctx, k, p)
	fails(t, what+": Authenticate", err, plugin.ErrDenied)
}

// equal complains about what makes an account another than the one wanted. A store may show more attributes than it was
// given, no reason and no groups.
func equal(t TB, what string, got, want plugin.Account) {
	t.Helper()
	var wrong []string
	differ := func(name string, got, want any) {
		wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", name, got, want))
	}
	if want.ID != "" && got.ID != want.ID {
		differ("the id", got.ID, want.ID)
	}
	if got.Username != want.Username {
		differ("the username", got.Username, want.Username)
	}
	for name, values := range want.Attributes {
		if !sameSet(got.Attributes[name], values) {
			differ("attribute "+name, got.Attributes[name], values)
		}
	}
	if got.State.Locked != want.State.Locked {
		differ("locked", fmt.Sprint(got.State.Locked), fmt.Sprint(want.State.Locked))
	}
	if got.State.Reason != "" && got.State.Reason != want.State.Reason {
		differ("the reason", got.State.Reason, want.State.Reason)
	}
	if len(got.Groups) > 0 && !sameSet(got.Groups, want.Groups) {
		differ("the set of groups", got.Groups, want.Groups)
	}
	if !want.CreatedAt.IsZero() && !got.CreatedAt.IsZero() && !got.CreatedAt.Equal(want.CreatedAt) {
		differ("the time of creation", got.CreatedAt, want.CreatedAt)
	}
	if len(wrong) > 0 {
		t.Errorf("%s: %s", what, strings.Join(wrong, "; "))
	}
}

// sameSet tells whether two lists have the same elements, whatever the order.
func sameSet[E comparable](a, b []E) bool {
	counts := map[E]int{}
	for _, e := range a {
		counts[e]++
	}
	for _, e := range b {
		counts[e]--
	}
	for _, n := range counts {
		if n != 0 {
			return false
		}
	}
	return true
}
