package login_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/internal/login"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
)

const password = "a long and private sentence"

// counting counts what reaches the store.
type counting struct {
	plugin.Authenticator
	mu    sync.Mutex
	asked int
	fail  error
	// at is the state database's time.
	at time.Time
	// hold, if set, keeps answers back until it is closed.
	hold chan struct{}
}

// await waits until so many passwords were asked for.
func (c *counting) await(t *testing.T, asked int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		n := c.asked
		c.mu.Unlock()
		if n >= asked {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d passwords were asked for", n)
		}
	}
}

func (c *counting) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *counting) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *counting) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	c.mu.Lock()
	c.asked++
	c.mu.Unlock()
	if c.hold != nil {
		<-c.hold
	}
	if c.fail != nil {
		return plugin.Account{}, c.fail
	}
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, fmt.Errorf("the host sent a key that breaks the contract: %w", err)
	}
	return c.Authenticator.Authenticate(ctx, k, p)
}

// setUp has one account, ada, and no limits.
func setUp(t *testing.T) (*login.Login, *counting) {
	t.Helper()
	return setUpWith(t, nil)
}

func setUpWith(t *testing.T, limits flow.Limits) (*login.Login, *counting) {
	t.Helper()
	c := &counting{at: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	store, err := sqlstore.Open(t.Context(), sqlstore.Options{Path: filepath.Join(t.TempDir(), "a.db"), Hash: sqlstore.CheapestHash})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	rules, err := identifier.New(identifier.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), Clock: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys, err := seal.NewKeyring("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	if err != nil {
		t.Fatal(err)
	}
	email, errEmail := rules.Email("Ada@Example.org")
	name, errName := rules.Username("ada")
	if err := errors.Join(errEmail, errName); err != nil {
		t.Fatal(err)
	}
	_, err = store.Create(t.Context(), plugin.NewAccount{Attempt: plugin.Attempt(strings.Repeat("a", 32)), NotAfter: time.Now().Add(time.Minute),
		Keys: []plugin.Key{name.Key("uid", true), email.Key("mail", true)}, Password: plugin.NewSecret(password)})
	if err != nil {
		t.Fatal(err)
	}
	c.Authenticator = store
	return login.New(login.Config{Rules: rules, Store: c, Lookup: store.Lookup, Counters: db, Keys: keys, Limits: limits}), c
}

func TestAPersonLogsInByEveryNameInEverySpelling(t *testing.T) {
	l, _ := setUp(t)
	for _, name := range []string{"ada@example.org", "ADA@EXAMPLE.ORG", "ada", "Ada"} {
		if a, err := l.Login(t.Context(), name, password); err != nil || a.Username != "ada" {
			t.Errorf("as %q: %q, %v", name, a.Username, err)
		}
	}
}

func TestEveryRefusalIsTheSameAndCostsTheStoreTheSame(t *testing.T) {
	l, store := setUp(t)
	for _, c := range [][2]string{{"ada", "a wrong and private sentence"}, {"bob", password}, {"nobody@example.org", password}, {"no address@", password}, {"", password},
		{"\x00", password}, {strings.Repeat("x", 5000), password}, {"+49 30 1234567", password}, {"admin", password}, {"*", password}, {"1: ", password}} {
		store.asked = 0
		_, err := l.Login(t.Context(), c[0], c[1])
		var problem *flow.Problem
		if !errors.As(err, &problem) || problem.Code != flow.CodeLoginFailed || problem.Cause != nil || problem.RetryAfter != 0 || problem.Violations != nil {
			t.Errorf("%.20q: %#v", c[0], err)
		}
		if store.asked != 1 {
			t.Errorf("%.20q: the store is asked %d times", c[0], store.asked)
		}
	}
}

func TestAnImpossiblePasswordIsRefusedBeforeTheStoreIsAsked(t *testing.T) {
	l, store := setUp(t)
	for _, p := range []string{"", "\x00", password + "\x00", strings.Repeat("x", 1<<20), "\xff"} {
		_, err := l.Login(t.Context(), "ada", p)
		var problem *flow.Problem
		if !errors.As(err, &problem) || problem.Code != flow.CodeLoginFailed {
			t.Errorf("%d bytes: %v", len(p), err)
		}
	}
	if store.asked != 0 {
		t.Errorf("the store was asked %d times", store.asked)
	}
}

func TestAStoreThatCannotAnswerIsNoRefusal(t *testing.T) {
	l, store := setUp(t)
	for _, fail := range []error{plugin.ErrUnavailable, plugin.ErrUnknownOutcome, context.DeadlineExceeded} {
		store.fail = fail
		_, err := l.Login(t.Context(), "ada", password)
		var problem *flow.Problem
		if !errors.As(err, &problem) || problem.Code != flow.CodeUnavailable || problem.RetryAfter == 0 {
			t.Errorf("%v: %v", fail, err)
		}
	}
	store.fail = errors.New("boom")
	var problem *flow.Problem
	if _, err := l.Login(t.Context(), "ada", password); err == nil || errors.As(err, &problem) {
		t.Errorf("an unknown fault: %v", err)
	}
}
