package testenv_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// auditLine is one line of the audit trail.
type auditLine struct {
	Time                                                          time.Time
	Msg, Event, Outcome, Step, State, Registration, Subject, Next string
	Request, Account, Client                                      string
}

// String is what happened, where, and what came of it.
func (l auditLine) String() string {
	return strings.TrimRight(l.Event+" "+l.Step+" "+l.Outcome, " ")
}

// trail reads the audit trail, and checks that its times are in UTC.
func trail(t *testing.T, s *testenv.Sidecar) (lines []auditLine) {
	t.Helper()
	for line := range strings.Lines(s.Log()) {
		var l auditLine
		if json.Unmarshal([]byte(line), &l) != nil || l.Msg != "audit" {
			continue
		}
		if zone, offset := l.Time.Zone(); offset != 0 || !strings.Contains(line, `Z"`) {
			t.Errorf("a time is not in UTC but in %s: %s", zone, line)
		}
		lines = append(lines, l)
	}
	return lines
}

// sameTrail compares what happened.
func sameTrail(t *testing.T, lines []auditLine, want []string) {
	t.Helper()
	var got []string
	for _, l := range lines {
		got = append(got, l.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the trail is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheAuditTrailHasEveryEventOnce(t *testing.T) {
	t.Parallel()
	s := testenv.Start(t, cheapHash, "TZ=Asia/Tokyo")
	story(t, s)
	waitForLog(t, s, `"event":"login","outcome":"ok"`)
	registrations, subjects := map[string]bool{}, map[string]int{}
	lines := trail(t, s)
	for _, l := range lines {
		if l.Registration != "" {
			registrations[l.Registration] = true
		}
		subjects[l.Subject]++
		if l.Request == "" {
			t.Errorf("no request: %s", l)
		}
	}
	sameTrail(t, lines, []string{
		"registration.start  ok", "registration.answer about-you invalid_input", "registration.answer about-you malformed", "registration.answer about-you ok",
		"registration.answer verify-email wrong_code", "registration.answer verify-email ok",
		"registration.answer password invalid_input", "registration.answer password ok",
		"login  login_failed", "login  login_failed", "login  ok",
	})
	if len(registrations) != 1 {
		t.Errorf("%d registrations in the trail, want 1", len(registrations))
	}
	// The same mailbox is the same subject while it registers and when it logs in, in whatever case; nobody is another.
	if most := slices.Max(slices.Collect(func(yield func(int) bool) {
		for subject, n := range subjects {
			if subject != "" && !yield(n) {
				return
			}
		}
	})); most < 6 {
		t.Errorf("the trail does not follow one person: %v", subjects)
	}
}

// strict is a flow that soon refuses.
const strict = `default: standard
limits: {messages_per_address: 100/hour, started_per_client: 3/hour, login_failures_before_delay: 1}
items:
  email:    {type: email, alias: true, required: true, attribute: mail}
  password: {type: password, required: true}
flows:
  standard:
    title: Create your account
    stealth: true
    steps:
      - data: {name: about-you, items: [email]}
      - username: {generate: "u{alnum:11}"}
      - verify-email: {item: email, resend_after: 10s, attempts: 2}
      - data: {name: password, items: [password]}
      - persist: {}
`

// startStrict starts a sidecar that knows its clients.
func startStrict(t *testing.T) *testenv.Sidecar {
	t.Helper()
	return testenv.Start(t, cheapHash, inFile(t, "NARTHEX_FLOWS", strict), "NARTHEX_TRUSTED_PROXIES=127.0.0.1")
}

// from is somebody at another address of this machine.
func from(s *testenv.Sidecar, address string) *testenv.Client {
	c := testenv.NewClient(s.URL)
	c.HTTP.Transport = testenv.From(address)
	return c
}

// TestTheAuditTrailHasRefusalsAndWhatIsTakenBack is about everything that leads to no account.
func TestTheAuditTrailHasRefusalsAndWhatIsTakenBack(t *testing.T) {
	t.Parallel()
	s := startStrict(t)
	c, patient := from(s, "127.9.9.8"), from(s, "127.9.9.8")
	do := func(want int, r testenv.Reply, err error) {
		t.Helper()
		if err != nil || r.Status != want {
			t.Fatalf("want %d: %d %s %v", want, r.Status, r.Raw, err)
		}
	}
	call := func(want int, c *testenv.Client, method, path string) {
		t.Helper()
		r, err := c.Call(method, "/v1/registration"+path, nil)
		do(want, r, err)
	}
	address := func(want int, c *testenv.Client) {
		t.Helper()
		r, err := c.Items("about-you", map[string]any{"email": canary.Email})
		do(want, r, err)
	}
	start := func(want int, c *testenv.Client) {
		t.Helper()
		r, err := c.Start()
		do(want, r, err)
	}
	start(http.StatusCreated, patient)
	address(http.StatusOK, patient)
	start(http.StatusCreated, c)
	address(http.StatusOK, c)
	call(http.StatusTooManyRequests, c, "POST", "/steps/verify-email/resend")
	call(http.StatusOK, c, "POST", "/steps/verify-email/change")
	address(http.StatusTooManyRequests, c)
	time.Sleep(10500 * time.Millisecond)
	call(http.StatusOK, patient, "GET", "") // only a look
	call(http.StatusOK, patient, "POST", "/steps/verify-email/resend")
	address(http.StatusOK, c)
	for _, want := range []int{http.StatusUnprocessableEntity, http.StatusGone} {
		r, err := c.Step("verify-email", map[string]any{"code": "00000000"})
		do(want, r, err)
	}
	start(http.StatusCreated, c)
	call(http.StatusNoContent, c, "DELETE", "")
	call(http.StatusGone, c, "DELETE", "")
	start(http.StatusTooManyRequests, c)
	for _, want := range []int{http.StatusUnauthorized, http.StatusTooManyRequests} {
		r, err := c.Login(canary.Email, canary.Password)
		do(want, r, err)
	}
	waitForLog(t, s, `"event":"login","outcome":"rate_limited"`)
	lines := trail(t, s)
	sameTrail(t, lines, []string{
		"registration.start  ok", "registration.answer about-you ok",
		"registration.start  ok", "registration.answer about-you ok", "registration.resend verify-email rate_limited",
		"registration.change verify-email ok", "registration.answer about-you rate_limited",
		"registration.resend verify-email ok", "registration.answer about-you ok",
		"registration.answer verify-email wrong_code", "registration.answer verify-email too_many_attempts",
		"registration.start  ok", "registration.abort about-you ok", "registration.abort  registration_gone", "registration.start  rate_limited",
		"login  login_failed", "login  rate_limited",
	})
	var subject string
	for _, l := range lines {
		if subject == "" {
			subject = l.Subject
		}
		known := l.Step == "verify-email" || l.Event == "login"
		if known && (l.Subject == "" || l.Subject != subject) {
			t.Errorf("%s is about %q, not %q", l, l.Subject, subject)
		}
	}
	clientsAreHashed(t, s, lines)
}

// clientsAreHashed tells clients apart by what the trail has of them, which another secret makes into something else.
func clientsAreHashed(t *testing.T, s *testenv.Sidecar, lines []auditLine) {
	t.Helper()
	client := lines[0].Client
	for _, l := range lines {
		if l.Client != client || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(client) {
			t.Errorf("%s is of the client %q", l, l.Client)
		}
	}
	stranger := startStrict(t) // with a secret of its own
	for _, other := range []struct {
		*testenv.Sidecar
		address string
	}{{s, "127.9.9.7"}, {stranger, "127.9.9.8"}} {
		before := len(trail(t, other.Sidecar))
		if _, err := from(other.Sidecar, other.address).Login(canary.Email, ""); err != nil {
			t.Fatal(err)
		}
		var lines []auditLine
		for end := time.Now().Add(10 * time.Second); len(lines) <= before && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			lines = trail(t, other.Sidecar)
		}
		if len(lines) != before+1 || lines[before].Client == client || lines[before].Client == "" {
			t.Errorf("another client or another secret: %+v", lines[before:])
		}
		if strings.Contains(other.Log(), "127.9.9.") {
			t.Error("the log has a client's address")
		}
	}
}
