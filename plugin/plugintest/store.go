package plugintest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
)

// store is the store that is judged, with what a rule needs to do so.
type store struct {
	plugin.Backend
	settings
	ctx context.Context

	mu    sync.Mutex
	made  []plugin.ID
	tried []plugin.Key
}

func newStore(ctx context.Context, b plugin.Backend, s settings) *store {
	return &store{Backend: b, settings: s, ctx: ctx}
}

// Create remembers what it made, so that tidy can remove it.
func (s *store) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	made, err := s.Backend.Create(ctx, a)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.made = append(s.made, made.ID)
	case !errors.Is(err, plugin.ErrExists) && len(a.Keys) > 0:
		s.tried = append(s.tried, a.Keys[0])
	}
	return made, err
}

// tidy removes the accounts that a rule made, also those that it was not told of.
func (s *store) tidy(t TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Minute)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.tried {
		if found, err := s.Lookup(ctx, k); err == nil {
			s.made = append(s.made, found.ID)
		}
	}
	slices.Sort(s.made)
	for _, id := range slices.Compact(s.made) {
		if err := s.Delete(ctx, id); err != nil && !errors.Is(err, plugin.ErrNotFound) {
			t.Errorf("the rule's account %s could not be removed: %v", id, err)
		}
	}
}

// hasSchema tells whether the store has a schema of its own, which may refuse a text: then it does not know an attribute
// that nobody has heard of.
func (s *store) hasSchema() bool {
	report, err := s.SchemaChecker.CheckSchema(s.ctx, []plugin.AttributeUse{{Item: "probe", Attribute: fresh(), Type: plugin.TypeString}})
	return err == nil && len(report.Findings) > 0
}

// keeps tells whether the store keeps values of a type.
func (s *store) keeps(t plugin.ValueType) bool { return slices.Contains(s.Description.ValueTypes, t) }

// person is an account that no other rule, and no earlier run, knows: a username, an email address and a password.
func (s *store) person() plugin.NewAccount {
	name := fresh()
	return plugin.NewAccount{
		Attempt:  freshAttempt(),
		NotAfter: time.Now().Add(plugin.CreateLifetime),
		Keys:     []plugin.Key{s.username(name), s.email(name)},
		Attributes: plugin.Attributes{
			s.names.GivenName:  {plugin.StringValue("Ada")},
			s.names.FamilyName: {plugin.StringValue("Lovelace")},
		},
		Password: plugin.NewSecret("a long sentence of " + fresh()),
	}
}

func (s *store) username(name string) plugin.Key {
	return plugin.Key{Kind: plugin.KindUsername, Canonical: "1:" + name, Value: name, Attribute: s.names.Username, Login: true}
}

func (s *store) email(name string) plugin.Key {
	value := "Ada." + name + "@Example.org"
	return plugin.Key{Kind: plugin.KindEmail, Canonical: "1:" + strings.ToLower(value), Value: value, Attribute: s.names.Email, Login: true}
}

func (s *store) phone() plugin.Key {
	value := "+999" + digits(11)
	return plugin.Key{Kind: plugin.KindPhone, Canonical: "1:" + value, Value: value, Attribute: s.names.Phone, Login: true}
}

func (s *store) unique() plugin.Key {
	value := fresh()
	return plugin.Key{Kind: plugin.KindUnique, Canonical: "1:" + s.names.Unique + ":" + value, Value: value, Attribute: s.names.Unique}
}

// fresh returns a name that nobody has used before: 16 lower-case letters and digits, the first a letter.
func fresh() string { return "t" + strings.ToLower(rand.Text()[:15]) }

func freshAttempt() plugin.Attempt {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return plugin.Attempt(hex.EncodeToString(b))
}

func digits(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	return string(b)
}

// absentID is the form of an id that no store has given out.
func absentID() plugin.ID { return plugin.ID("absent-" + fresh()) }
