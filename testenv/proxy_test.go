package testenv_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// startBehindProxy starts two sidecars on one PostgreSQL behind the nginx of the documentation.
func startBehindProxy(t *testing.T, env ...string) *replicas {
	t.Helper()
	address := testenv.FreeAddress(t)
	r := startReplicas(t, testenv.PostgreSQLDatabase, append(env, "NARTHEX_PUBLIC_URL=http://"+address, "NARTHEX_TRUSTED_PROXIES=127.0.0.1")...)
	r.front = "http://" + address
	testenv.StartNginx(t, address, r.sidecars...)
	return r
}

// TestASidecarDiesBehindAProxyUnderLoad kills one of two sidecars while people register through the proxy in front.
func TestASidecarDiesBehindAProxyUnderLoad(t *testing.T) {
	t.Parallel()
	r := startBehindProxy(t, unlimited(t))
	r.check(r.load(func() { r.sidecars[0].Kill() }))
}

// TestBudgetsKnowPeopleBehindAProxy: one person who asks for too much is refused at both sidecars, whatever they claim
// about themselves, and nobody else is.
func TestBudgetsKnowPeopleBehindAProxy(t *testing.T) {
	t.Parallel()
	r := startBehindProxy(t)
	greedy, other := testenv.NewClient(r.front), testenv.NewClient(r.front)
	greedy.HTTP.Transport, other.HTTP.Transport = liar{testenv.From("127.9.9.9")}, testenv.From("127.9.9.8")
	var started, refused int
	for range 20 {
		reply, err := greedy.Start()
		switch {
		case err != nil:
			t.Fatal(err)
		case reply.Status == http.StatusCreated:
			started++
			if _, err := greedy.Call("DELETE", "/v1/registration", nil); err != nil {
				t.Fatal(err)
			}
		case reply.Status == http.StatusTooManyRequests && reply.Code == "rate_limited" && reply.Header.Get("Retry-After") != "":
			refused++
		default:
			t.Fatalf("start: %d %s", reply.Status, reply.Raw)
		}
	}
	if started != 10 || refused != 10 {
		t.Errorf("%d registrations were started and %d refused, want 10 and 10", started, refused)
	}
	if reply, err := other.Start(); err != nil || reply.Status != http.StatusCreated {
		t.Errorf("somebody else: %d %s %v", reply.Status, reply.Raw, err)
	}
	for _, s := range r.sidecars {
		if !strings.Contains(s.Log(), `"status":429`) {
			t.Error("one of the sidecars never refused anybody: they do not share the budget, or the proxy does not share the load")
		}
	}
}

// liar claims another address with every request.
type liar struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (l liar) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", rand.IntN(256)))
	r.Header.Set("Forwarded", "for=203.0.113.9")
	return l.Transport.RoundTrip(r)
}
