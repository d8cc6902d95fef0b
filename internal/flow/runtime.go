package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/plugin"
)

// runtime is what steps may use: rules, words, keyed hashes, and one question to the store.
type runtime struct {
	rules     *identifier.Rules
	texts     *Texts
	keys      *seal.Keyring
	lookup    func(ctx context.Context, k plugin.Key) (plugin.Account, error)
	encodings map[string]plugin.Encoding
}

// storePause is what a client is told to wait for a store that cannot be reached.
const storePause = 5 * time.Second

// unavailable is the problem for a store or a database that cannot be asked now.
func unavailable(cause error, after time.Duration) error {
	return &Problem{Code: CodeUnavailable, RetryAfter: after, Cause: cause}
}

// key returns the key of an item's value: an identifier's, or that of a value that is merely unique.
func (r *runtime) key(i *Item, v plugin.Value) (plugin.Key, error) {
	id, err := r.identify(i, v)
	if err != nil {
		return plugin.Key{}, fmt.Errorf("key of %s: %w", i.Name, err)
	}
	return id.Key(i.Attribute, i.Alias || i.Type == itemUsername), nil
}

func (r *runtime) identify(i *Item, v plugin.Value) (identifier.Identifier, error) {
	switch {
	case i.Type == itemUsername:
		return r.rules.Login(v.Text) // judged when it was chosen or drawn
	case i.Unique:
		return r.rules.Unique(i.Attribute, v), nil
	case i.Type == ItemEmail:
		return r.rules.Email(v.Text)
	case i.Type == ItemPhone:
		return r.rules.Phone(v.Text)
	default:
		return identifier.Identifier{}, errors.New("no identifier")
	}
}

// limitKey is an address without what makes variants of one mailbox.
func (r *runtime) limitKey(i *Item, v plugin.Value) string {
	id, err := r.identify(&Item{Type: i.Type}, v)
	if err != nil {
		return v.Text
	}
	return r.rules.LimitKey(id)
}

// judgePassword applies the rules for passwords. near has what the person entered otherwise.
func (i *Item) judgePassword(rules *identifier.Rules, text string, near []string) (plugin.Secret, []fault) {
	prepared, err := rules.Password(text, identifier.PasswordPolicy{Min: int(*i.Min), Max: int(*i.Max), Context: near})
	var refused *identifier.Error
	switch {
	case err == nil:
		return prepared, nil
	case errors.As(err, &refused):
		return plugin.Secret{}, []fault{{refused.Code, map[string]any{"Min": *i.Min, "Max": *i.Max}}}
	default:
		return plugin.Secret{}, faultOf("password")
	}
}

// passwordContext lists words that no password may be: what this person is called.
func passwordContext(rec *Record, entered map[string]plugin.Value) []string {
	words := []string{rec.Username}
	for _, values := range []map[string]plugin.Value{rec.Values, entered} {
		for _, v := range values {
			if v.Type == plugin.TypeString {
				words = append(words, v.Text)
			}
		}
	}
	return words
}
