// Package login answers one question: whose are this identifier and this password? It owns that nothing in the answer
// tells an unknown identifier from a wrong password. Tickets and sessions are not its business.
package login

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

// storePause is what a client is told to wait for a store that cannot be reached or is busy.
const storePause = 2 * time.Second

// nobody is the key that an identifier gets which cannot exist. No canonical key has a blank in it, so no account has it,
// and asking for it costs the store what any unknown name costs.
var nobody = plugin.Key{Kind: plugin.KindUsername, Canonical: "1: ", Value: "nobody"}

// Rules reads identifiers as people type them.
type Rules interface {
	Login(s string) (identifier.Identifier, error)
}

// Login checks passwords against a store.
type Login struct {
	rules Rules
	store plugin.Authenticator
}

// New returns a Login. A nil store is one that cannot judge passwords: everything is unavailable then.
func New(rules Rules, store plugin.Authenticator) *Login { return &Login{rules, store} }

// Login returns the account whose identifier and password these are. Everything else is a *flow.Problem: login_failed,
// in the same words and at the same cost for an unknown or impossible identifier, a wrong password and a locked account;
// or unavailable. An empty password is refused before anybody is asked.
func (l *Login) Login(ctx context.Context, name, password string) (plugin.Account, error) {
	if l.store == nil {
		return plugin.Account{}, &flow.Problem{Code: flow.CodeUnavailable, Cause: errors.ErrUnsupported}
	}
	secret, err := identifier.PrepareLoginPassword(password)
	if err != nil {
		return plugin.Account{}, &flow.Problem{Code: flow.CodeLoginFailed}
	}
	key := nobody
	if id, err := l.rules.Login(name); err == nil {
		key = id.Key("", true)
	}
	account, err := l.store.Authenticate(ctx, key, secret)
	switch {
	case err == nil:
		return account, nil
	case errors.Is(err, plugin.ErrDenied):
		return plugin.Account{}, &flow.Problem{Code: flow.CodeLoginFailed}
	case errors.Is(err, plugin.ErrUnavailable), errors.Is(err, plugin.ErrUnknownOutcome), errors.Is(err, context.DeadlineExceeded):
		return plugin.Account{}, &flow.Problem{Code: flow.CodeUnavailable, RetryAfter: storePause, Cause: err}
	default:
		return plugin.Account{}, err
	}
}
