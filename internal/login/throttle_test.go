package login_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/login"
	"github.com/narthex/narthex/plugin"
)

const wrong = "a wrong and private sentence"

// from is a request of a client.
func from(t *testing.T, client string) context.Context {
	t.Helper()
	return flow.WithClient(t.Context(), netip.MustParseAddr(client))
}

// try logs in and tells what came of it: "in", "failed", or how long to wait.
func try(ctx context.Context, t *testing.T, l *login.Login, name, password string) string {
	t.Helper()
	_, err := l.Login(ctx, name, password)
	var p *flow.Problem
	switch {
	case err == nil:
		return "in"
	case errors.As(err, &p) && p.Code == flow.CodeLoginFailed && p.RetryAfter == 0:
		return "failed"
	case errors.As(err, &p) && p.Code == flow.CodeRateLimited:
		return p.RetryAfter.String()
	}
	t.Fatalf("got %v", err)
	return ""
}

// delays fails again and again as soon as it may, and lists how long it had to wait each time.
func delays(ctx context.Context, t *testing.T, l *login.Login, store *counting, name string, failures int) (waits []string) {
	t.Helper()
	for range failures {
		got := try(ctx, t, l, name, wrong)
		wait, err := time.ParseDuration(got)
		if err == nil {
			waits = append(waits, got)
			store.advance(wait)
			got = try(ctx, t, l, name, wrong)
		}
		if got != "failed" {
			t.Fatalf("after %d waits: %s", len(waits), got)
		}
	}
	return waits
}

func TestFailuresHaveToWaitTwiceAsLongEachTime(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	got := fmt.Sprint(delays(t.Context(), t, l, store, "ada", 18))
	if want := "[1s 2s 4s 8s 16s 32s 1m4s 2m8s 4m16s 8m32s 15m0s 15m0s 15m0s]"; got != want {
		t.Errorf("waited %s, want %s", got, want)
	}
	asked := store.asked
	if got := try(t.Context(), t, l, "ada", password); got != "15m0s" || store.asked != asked {
		t.Errorf("the right password, while it has to wait: %s, and the store was asked %d times", got, store.asked-asked)
	}
	store.advance(15 * time.Minute)
	if got := try(t.Context(), t, l, "ada", password); got != "in" {
		t.Errorf("the right password, after the wait: %s", got)
	}
	for range 5 {
		if got := try(t.Context(), t, l, "ada", wrong); got != "failed" {
			t.Errorf("after a success: %s", got)
		}
	}
}

func TestAnUnknownNameHasToWaitLikeAKnownOne(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	known := fmt.Sprint(delays(t.Context(), t, l, store, "ada@example.org", 12))
	for _, name := range []string{"eve@example.org", "bob", "no address@", "\x00", "+49 30 1234567"} {
		if got := fmt.Sprint(delays(t.Context(), t, l, store, name, 12)); got != known {
			t.Errorf("%q waited %s, a known name %s", name, got, known)
		}
	}
}

func TestAfterAHundredFailuresThereAreNoMoreForADay(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	home, elsewhere := from(t, "198.51.100.7"), from(t, "203.0.113.1")
	if got := try(home, t, l, "ada", password); got != "in" {
		t.Fatal(got)
	}
	for range 100 {
		if got := try(elsewhere, t, l, "ada", wrong); got != "failed" {
			t.Fatal(got)
		}
		store.advance(15 * time.Minute)
	}
	if got := try(elsewhere, t, l, "ada", password); got != "23h45m0s" {
		t.Errorf("the try after the hundredth: %s", got)
	}
	t.Run("and the owner gets in at home", func(t *testing.T) {
		if got := try(home, t, l, "ada", password); got != "in" {
			t.Error(got)
		}
	})
	t.Run("which does not let the stranger go on", func(t *testing.T) {
		if got := try(elsewhere, t, l, "ada", wrong); got != "23h45m0s" {
			t.Error(got)
		}
	})
	store.advance(24*time.Hour - 15*time.Minute - time.Second)
	if got := try(elsewhere, t, l, "ada", wrong); got != "1s" {
		t.Errorf("a second before the day is over: %s", got)
	}
	store.advance(time.Second)
	t.Run("a day later wrong passwords are judged again, and counted from the first", func(t *testing.T) {
		for n := range 5 {
			if got := try(elsewhere, t, l, []string{"ada", "ada@example.org"}[n%2], wrong); got != "failed" {
				t.Errorf("failure %d: %s", n+1, got)
			}
		}
		for _, name := range []string{"ada", "ada@example.org"} {
			if got := try(elsewhere, t, l, name, wrong); got != "1s" {
				t.Errorf("failure 6, as %s: %s", name, got)
			}
		}
	})
	store.advance(time.Second)
	if got := try(elsewhere, t, l, "ada", password); got != "in" {
		t.Errorf("the right password, after a new wait: %s", got)
	}
}

func TestNobodyIsKeptOutAtHomeByStrangers(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	home := from(t, "2001:db8:1:2::7")
	if got := try(home, t, l, "Ada@example.org", password); got != "in" {
		t.Fatal(got)
	}
	for range 20 {
		try(from(t, "203.0.113.1"), t, l, "ada@example.org", wrong)
		store.advance(time.Second)
	}
	if got := try(from(t, "192.0.2.1"), t, l, "ada@example.org", password); got == "in" || got == "failed" {
		t.Errorf("at another network: %s", got)
	}
	if got := try(from(t, "2001:db8:1:2:ffff::1"), t, l, "ada@example.org", password); got != "in" {
		t.Errorf("at home: %s", got)
	}
	t.Run("and failures at home have to wait there", func(t *testing.T) {
		for range 5 {
			if got := try(home, t, l, "ada@example.org", wrong); got != "failed" {
				t.Error(got)
			}
		}
		if got := try(home, t, l, "ada@example.org", password); got != "1s" {
			t.Error(got)
		}
	})
}

func TestANetworkHasABudgetOverAllNames(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	for i := range 30 {
		client := fmt.Sprintf("2001:db8:1:2::%x", i+1) // all in one network
		if got := try(from(t, client), t, l, fmt.Sprintf("person%d@example.org", i), wrong); got != "failed" {
			t.Fatalf("failure %d: %s", i+1, got)
		}
		if got := try(from(t, client), t, l, "ada", password); got != "in" && i < 29 {
			t.Fatalf("a success beside %d failures: %s", i+1, got)
		}
	}
	if got := try(from(t, "2001:db8:1:2::ffff"), t, l, "somebody@example.org", wrong); got != "5m0s" {
		t.Errorf("the 31st: %s", got)
	}
	if got := try(from(t, "2001:db8:1:3::1"), t, l, "somebody@example.org", wrong); got != "failed" {
		t.Errorf("the network beside it: %s", got)
	}
	store.advance(5 * time.Minute)
	if got := try(from(t, "2001:db8:1:2::1"), t, l, "somebody@example.org", wrong); got != "failed" {
		t.Errorf("five minutes later: %s", got)
	}
	t.Run("and so has its site", func(t *testing.T) {
		refused := 0
		for i := range 310 {
			if try(from(t, fmt.Sprintf("2001:db8:9:%x::1", i)), t, l, fmt.Sprintf("other%d@example.org", i), wrong) != "failed" {
				refused++
			}
		}
		if refused != 10 {
			t.Errorf("of 310 failures from 310 networks of a site %d were refused", refused)
		}
	})
}

func TestOfManyTriesAtOnceNoMoreAreComparedThanMayFail(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			_, _ = l.Login(context.Background(), []string{"ada", "Ada", "ADA", "aDa"}[i%4], wrong)
		})
	}
	all.Wait()
	if store.asked != 5 {
		t.Errorf("%d passwords were compared", store.asked)
	}
}

func TestATryThatNobodyJudgedIsNotCounted(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	client := from(t, "198.51.100.7")
	for range 40 {
		store.fail = plugin.ErrUnavailable
		var p *flow.Problem
		if _, err := l.Login(client, "ada", wrong); !errors.As(err, &p) || p.Code != flow.CodeUnavailable {
			t.Fatalf("got %v", err)
		}
	}
	store.fail = nil
	for range 5 {
		if got := try(client, t, l, "ada", wrong); got != "failed" {
			t.Fatal(got)
		}
	}
}

func TestLimitsOfLoginsCanBeOff(t *testing.T) {
	l, _ := setUpWith(t, flow.Limits{})
	for range 120 {
		if got := try(from(t, "198.51.100.7"), t, l, "ada", wrong); got != "failed" {
			t.Fatal(got)
		}
	}
}

func TestManyRightLoginsAtOnceAllSucceed(t *testing.T) {
	l, _ := setUpWith(t, flow.DefaultLimits())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := l.Login(context.Background(), "ada", password); err != nil {
				t.Errorf("a right login among others: %v", err)
			}
		})
	}
	all.Wait()
}

func TestATryThatWaitsForOthersEndsWithItsRequest(t *testing.T) {
	l, store := setUpWith(t, flow.DefaultLimits())
	store.hold = make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { _, _ = l.Login(context.Background(), "ada", password) })
	}
	store.await(t, 2)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var p *flow.Problem
	if _, err := l.Login(ctx, "ada", password); !errors.As(err, &p) || p.Code != flow.CodeUnavailable {
		t.Errorf("got %v", err)
	}
	close(store.hold)
	all.Wait()
	if _, err := l.Login(context.Background(), "ada", password); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
