package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/plugin"
)

// counting is an engine that lets every client make as many calls as it may, and nobody's call be refused.
func counting(most int) (*flowtest.Engine, map[netip.Addr]int) {
	calls := map[netip.Addr]int{}
	return &flowtest.Engine{Before: func(ctx context.Context) error {
		client := flow.ClientFrom(ctx)
		if calls[client]++; client.IsValid() && calls[client] > most {
			return &flow.Problem{Code: flow.CodeRateLimited, RetryAfter: 90*time.Second + time.Millisecond}
		}
		return nil
	}}, calls
}

// peer sets who is connected.
func peer(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(address), 4711).String() }
}

func trusting(networks ...string) func(*httpapi.Options) {
	return func(o *httpapi.Options) {
		for _, n := range networks {
			o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(n))
		}
	}
}

func TestASpentBudgetIsToldWithTheTimeToWait(t *testing.T) {
	e, _ := counting(3)
	c := newClient(t, e, trusting("10.0.0.0/8"))
	first := c.must(c.send("POST", "/v1/registration", "{}", peer("10.0.0.1"), with("X-Forwarded-For", "198.51.100.7")), 201, "")
	for range 2 {
		c.must(c.send("GET", "/v1/registration", "", bearer(first.token()), peer("10.0.0.1"), with("X-Forwarded-For", "198.51.100.7")), 200, "")
	}
	for _, r := range [][3]string{
		{"POST", "/v1/registration", "{}"},
		{"POST", "/v1/registration/steps/about-you", aboutYou},
		{"POST", "/v1/registration/steps/verify-email/resend", ""},
		{"POST", "/v1/registration/steps/verify-email/change", ""},
	} {
		a := c.must(c.send(r[0], r[1], r[2], bearer(first.token()), peer("10.0.0.1"), with("X-Forwarded-For", "198.51.100.7")), 429, "rate_limited")
		if a.Header().Get("Retry-After") != "91" || a.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: 90 s and a little to wait are told as %q", r[1], a.Header().Get("Retry-After"))
		}
	}
	c.must(c.send("POST", "/v1/registration", "{}", peer("10.0.0.1"), with("X-Forwarded-For", "198.51.100.8")), 201, "")
}

func TestBudgetsDoNotMoveWithHeadersOfAClient(t *testing.T) {
	for rule, c := range map[string]struct {
		change func(*httpapi.Options)
		peer   string
		header func(n int) []func(*http.Request)
	}{
		"without a proxy": {trusting(), "198.51.100.7", func(n int) []func(*http.Request) {
			made := fmt.Sprintf("203.0.113.%d", n)
			return []func(*http.Request){with("X-Forwarded-For", made), with("X-Real-Ip", made), with("Forwarded", "for="+made), with("True-Client-Ip", made), with("Cf-Connecting-Ip", made)}
		}},
		"behind one that appends": {trusting("10.0.0.0/8"), "10.0.0.1", func(n int) []func(*http.Request) {
			return []func(*http.Request){with("X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 198.51.100.7", n))}
		}},
		"behind one that appends a header of its own": {trusting("10.0.0.0/8"), "10.0.0.1", func(n int) []func(*http.Request) {
			return []func(*http.Request){with("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n)), with("X-Forwarded-For", "198.51.100.7")}
		}},
		"behind one that knows another header": {trusting("10.0.0.0/8"), "10.0.0.1", func(n int) []func(*http.Request) {
			return []func(*http.Request){with("Forwarded", "for=198.51.100.7"), with("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n))}
		}},
		"behind one that names nobody": {trusting("10.0.0.0/8"), "10.0.0.1", func(n int) []func(*http.Request) {
			return []func(*http.Request){with("X-Forwarded-For", fmt.Sprintf("garbage %d", n))}
		}},
	} {
		t.Run(rule, func(t *testing.T) {
			e, calls := counting(5)
			client := newClient(t, e, c.change)
			refused := 0
			for n := range 20 {
				if a := client.send("POST", "/v1/registration", "{}", append(c.header(n), peer(c.peer))...); a.Code == http.StatusTooManyRequests {
					refused++
				}
			}
			if refused != 15 || len(calls) != 1 {
				t.Errorf("%d of 20 were refused, of %d clients", refused, len(calls))
			}
		})
	}
}

func TestALocalGatewayIsNoClientUntilItIsTrusted(t *testing.T) {
	e, calls := counting(1)
	c := newClient(t, e)
	for range 5 {
		c.must(c.send("POST", "/v1/registration", "{}", peer("127.0.0.1")), 201, "")
	}
	if calls[netip.Addr{}] != 5 {
		t.Errorf("the calls are of %v", calls)
	}
	e, calls = counting(1)
	c = newClient(t, e, trusting("127.0.0.0/8"))
	c.must(c.send("POST", "/v1/registration", "{}", peer("127.0.0.1"), with("X-Forwarded-For", "198.51.100.7")), 201, "")
	c.must(c.send("POST", "/v1/registration", "{}", peer("127.0.0.1"), with("X-Forwarded-For", "198.51.100.7")), 429, "rate_limited")
	if calls[netip.MustParseAddr("198.51.100.7")] != 2 {
		t.Errorf("the calls are of %v", calls)
	}
}

// waiting is a login that has to wait.
type waiting struct{}

func (waiting) Login(context.Context, string, string) (plugin.Account, error) {
	return plugin.Account{}, &flow.Problem{Code: flow.CodeRateLimited, RetryAfter: 15 * time.Minute}
}

func TestALoginThatHasToWaitIsToldHowLong(t *testing.T) {
	c := newClient(t, &flowtest.Engine{}, func(o *httpapi.Options) { o.Login = waiting{} })
	a := c.must(c.send("POST", "/v1/login", `{"identifier":"ada","password":"x"}`), 429, "rate_limited")
	if a.Header().Get("Retry-After") != "900" {
		t.Errorf("Retry-After is %q", a.Header().Get("Retry-After"))
	}
}
