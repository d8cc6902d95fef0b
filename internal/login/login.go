// Package login answers one question: whose are this identifier and this password? It owns that nothing in the answer
// tells an unknown identifier from a wrong password, and that nobody guesses at will: failures are counted in the state
// database, and each further one has to wait. Tickets and sessions are not its business.
package login

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/internal/seal"
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
	// LimitKey is what all variants of an identifier share.
	LimitKey(i identifier.Identifier) string
}

// Config says what a Login works with.
type Config struct {
	Rules Rules
	// Store judges passwords. Nil is one that cannot: everything is unavailable then.
	Store plugin.Authenticator
	// Lookup tells whose an identifier is.
	Lookup func(ctx context.Context, k plugin.Key) (plugin.Account, error)
	// Counters keeps the failures, under keyed hashes of Keys; Limits says how many there may be.
	Counters Counters
	Keys     *seal.Keyring
	Limits   flow.Limits
	Log      *slog.Logger
}

// Login checks passwords against a store.
type Login struct {
	Config
	throttle throttle
	lanes    lanes
}

// New returns a Login.
func New(c Config) *Login {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Login{Config: c, throttle: throttle{c.Counters, c.Keys, c.Limits}}
}

// Login returns the account whose identifier and password these are. Everything else is a *flow.Problem: login_failed,
// in the same words and at the same cost for an unknown or impossible identifier, a wrong password and a locked account;
// rate_limited, with any password, after too many failures; or unavailable. A try is counted before anybody compares. An
// empty password is refused before anybody is asked.
func (l *Login) Login(ctx context.Context, name, password string) (plugin.Account, error) {
	key, typed := l.key(name)
	account, err := l.judge(ctx, key, typed, password)
	l.audit(ctx, key, account, err)
	return account, err
}

// key is what the store is asked for, and typed what failures are counted under.
func (l *Login) key(name string) (key plugin.Key, typed string) {
	id, err := l.Rules.Login(name)
	if err != nil {
		return nobody, "text " + strings.ToLower(strings.TrimSpace(name))
	}
	return id.Key("", true), "name " + l.Rules.LimitKey(id)
}

// judge counts a try and lets the store judge it.
func (l *Login) judge(ctx context.Context, key plugin.Key, typed, password string) (plugin.Account, error) {
	if l.Store == nil {
		return plugin.Account{}, &flow.Problem{Code: flow.CodeUnavailable, Cause: errors.ErrUnsupported}
	}
	secret, err := identifier.PrepareLoginPassword(password)
	if err != nil {
		return plugin.Account{}, &flow.Problem{Code: flow.CodeLoginFailed}
	}
	leave, err := l.lanes.enter(ctx, typed)
	if err != nil {
		return plugin.Account{}, refusal(err)
	}
	defer leave()
	try, err := l.throttle.begin(ctx, typed)
	if err != nil {
		return plugin.Account{}, refusal(err)
	}
	account, owner, err := l.ask(ctx, key, secret)
	switch {
	case err == nil:
		if err := try.succeed(ctx, account.ID); err != nil {
			return plugin.Account{}, refusal(err)
		}
		return account, nil
	case errors.Is(err, plugin.ErrDenied):
		if err := try.fail(ctx, owner); err != nil {
			return plugin.Account{}, refusal(err)
		}
		return plugin.Account{}, &flow.Problem{Code: flow.CodeLoginFailed}
	}
	l.takeBack(ctx, try)
	if errors.Is(err, plugin.ErrUnavailable) || errors.Is(err, plugin.ErrUnknownOutcome) || errors.Is(err, context.DeadlineExceeded) {
		err = &flow.Problem{Code: flow.CodeUnavailable, RetryAfter: storePause, Cause: err}
	}
	return plugin.Account{}, err
}

// ask lets the store judge the password and tell, at the same time, whose the identifier is: one after the other, it
// would take longer for a name that somebody has. owner is "" where nobody has it.
//
// Failures are counted for the owner, so that a password counts only for the account which is the owner's: else passwords
// of one account could be tried at the cost of another. Where they differ (the name has gone to somebody else between the
// two answers, or the store contradicts itself) it is ErrDenied; where nobody tells the owner, its error.
func (l *Login) ask(ctx context.Context, key plugin.Key, secret plugin.Secret) (account plugin.Account, owner plugin.ID, err error) {
	type answer struct {
		owner plugin.Account
		err   error
	}
	asked := make(chan answer, 1)
	go func() {
		owner, err := l.Lookup(ctx, key)
		asked <- answer{owner, err}
	}()
	account, err = l.Store.Authenticate(ctx, key, secret)
	found := <-asked
	if err != nil && !errors.Is(err, plugin.ErrDenied) {
		return plugin.Account{}, "", err
	}
	if found.err != nil && !errors.Is(found.err, plugin.ErrNotFound) {
		return plugin.Account{}, "", found.err
	}
	if found.err == nil {
		owner = found.owner.ID
	}
	if err == nil && (owner == "" || account.ID != owner) {
		l.Log.WarnContext(ctx, "a login is refused: the store tells two owners of its name", "authenticated", account.ID, "found", owner)
		return plugin.Account{}, owner, plugin.ErrDenied
	}
	return account, owner, err
}

// takeBack forgets a try that nobody has judged.
func (l *Login) takeBack(ctx context.Context, t *try) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storePause)
	defer cancel()
	if err := t.takeBack(ctx); err != nil {
		l.Log.WarnContext(ctx, "a login that could not be judged stays counted", "error", err)
	}
}

// refusal is the problem for a try that may not be made now, or that could not be counted.
func refusal(err error) error {
	var wait *waitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wait):
		return &flow.Problem{Code: flow.CodeRateLimited, RetryAfter: wait.left}
	default:
		return &flow.Problem{Code: flow.CodeUnavailable, RetryAfter: storePause, Cause: err}
	}
}
