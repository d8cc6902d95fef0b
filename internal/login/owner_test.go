package login_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
)

// lookup is what a Login asks for the owner of a name.
type lookup func(ctx context.Context, k plugin.Key) (plugin.Account, error)

// telling answers for ada's username as told, and for everything else as the store does.
func telling(truth lookup, told plugin.Account, err error) lookup {
	return func(ctx context.Context, k plugin.Key) (plugin.Account, error) {
		if k.Canonical == "1:ada" {
			return told, err
		}
		return truth(ctx, k)
	}
}

// person is somebody with a username alone.
func person(attempt, username string) plugin.NewAccount {
	return plugin.NewAccount{Attempt: plugin.Attempt(strings.Repeat(attempt, 32)), NotAfter: time.Now().Add(time.Minute),
		Keys: []plugin.Key{{Kind: plugin.KindUsername, Canonical: "1:" + username, Value: username, Attribute: "uid", Login: true}}, Password: plugin.NewSecret(password)}
}

func TestAPasswordCountsOnlyForTheOwnerOfTheName(t *testing.T) {
	for what, tell := range map[string]func(ada, bob plugin.ID) (plugin.ID, error){
		"another account has the name":          func(_, bob plugin.ID) (plugin.ID, error) { return bob, nil },
		"nobody has the name":                   func(plugin.ID, plugin.ID) (plugin.ID, error) { return "", plugin.ErrNotFound },
		"nobody has the name, an account aside": func(ada, _ plugin.ID) (plugin.ID, error) { return ada, plugin.ErrNotFound },
		"an account without an id has the name": func(plugin.ID, plugin.ID) (plugin.ID, error) { return "", nil },
	} {
		t.Run(what, func(t *testing.T) {
			l, store := setUpWith(t, flow.DefaultLimits())
			_, wrongly := l.Login(t.Context(), "ada@example.org", wrong)
			accounts := store.Authenticator.(*sqlstore.Store)
			bob, errBob := accounts.Create(t.Context(), person("b", "bob"))
			ada, errAda := accounts.Lookup(t.Context(), person("a", "ada").Keys[0])
			if err := errors.Join(errBob, errAda); err != nil {
				t.Fatal(err)
			}
			found, err := tell(ada.ID, bob.ID)
			l.Lookup = telling(accounts.Lookup, plugin.Account{ID: found}, err)
			store.asked = 0
			for n := range 5 {
				if a, err := l.Login(t.Context(), "ada", password); a.ID != "" || !reflect.DeepEqual(err, wrongly) {
					t.Errorf("login %d: %q, %#v; with a wrong password %#v", n+1, a.ID, err, wrongly)
				}
			}
			if got := try(t.Context(), t, l, "ada", password); got != "1s" || store.asked != 5 {
				t.Errorf("login 6: %s, after %d passwords were compared", got, store.asked)
			}
			want := map[bool]string{true: "1s", false: "in"}
			if got := try(t.Context(), t, l, "bob", password); got != want[found == bob.ID] {
				t.Errorf("by the name of the account that was found: %s", got)
			}
			if got := try(t.Context(), t, l, "ada@example.org", password); got != "in" {
				t.Errorf("by another name of the account that was not found: %s", got)
			}
		})
	}
}

func TestAnAccountThatIsMadeAnewDuringALoginIsNotLoggedInTo(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	accounts := store.Authenticator.(*sqlstore.Store)
	judged := make(chan plugin.Account, 1)
	store.Authenticator = judging{accounts, judged}
	var anew plugin.Account
	l.Lookup = func(ctx context.Context, k plugin.Key) (plugin.Account, error) {
		old := <-judged
		err := accounts.Delete(ctx, old.ID)
		if err == nil {
			anew, err = accounts.Create(ctx, person("c", "ada"))
		}
		if err != nil || anew.ID == old.ID {
			return plugin.Account{}, fmt.Errorf("make %s anew: %w", old.ID, err)
		}
		return accounts.Lookup(ctx, k)
	}
	if got := try(t.Context(), t, l, "ada", password); got != "failed" {
		t.Errorf("by the password of an account that is gone: %s", got)
	}
	l.Store, l.Lookup = accounts, accounts.Lookup
	if a, err := l.Login(t.Context(), "ada", password); err != nil || a.ID != anew.ID {
		t.Errorf("the next login: %q, %v, want %q", a.ID, err, anew.ID)
	}
}

// judging tells what it has answered.
type judging struct {
	plugin.Authenticator
	judged chan<- plugin.Account
}

func (j judging) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	a, err := j.Authenticator.Authenticate(ctx, k, p)
	j.judged <- a
	return a, err
}

// Were it otherwise, a right password would show, and wrong ones would not be counted, while nobody tells the owner.
func TestWhileNobodyTellsTheOwnerNoPasswordIsJudged(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	truth := l.Lookup
	l.Lookup = telling(truth, plugin.Account{}, fmt.Errorf("lookup: %w", plugin.ErrUnavailable))
	for range 10 {
		for _, p := range []string{password, wrong} {
			a, err := l.Login(t.Context(), "ada", p)
			var problem *flow.Problem
			if !errors.As(err, &problem) || problem.Code != flow.CodeUnavailable || problem.RetryAfter == 0 || a.ID != "" {
				t.Errorf("%q, %v", a.ID, err)
			}
		}
	}
	l.Lookup = truth
	for range 5 {
		if got := try(t.Context(), t, l, "ada", wrong); got != "failed" {
			t.Errorf("afterwards: %s, with %d passwords compared", got, store.asked)
		}
	}
}

// granting grants everything to an account without an id.
type granting struct{}

func (granting) Authenticate(context.Context, plugin.Key, plugin.Secret) (plugin.Account, error) {
	return plugin.Account{}, nil
}

func TestNobodyIsNoOwner(t *testing.T) {
	l, _ := setUpWith(t, flow.DefaultLimits())
	l.Store = granting{}
	for _, name := range []string{"eve", "ada", "no address@"} {
		if got := try(t.Context(), t, l, name, password); got != "failed" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
