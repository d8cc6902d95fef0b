package testenv_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// canary is somebody whose every word can be found again.
var canary = testenv.Person{Email: "Canary.Address@example.org", GivenName: "Canarygiven", FamilyName: "Canaryfamily", Password: "the canary sings all morning long"}

// story lets the canary do everything that people do, rightly and wrongly, and returns what nobody else may read.
func story(t *testing.T, s *testenv.Sidecar) (secrets []string) {
	t.Helper()
	c := testenv.NewClient(s.URL)
	do := func(want int, r testenv.Reply, err error) testenv.Reply {
		t.Helper()
		if err != nil || r.Status != want {
			t.Fatalf("want %d: %d %s %v", want, r.Status, r.Raw, err)
		}
		return r
	}
	r, err := c.Start()
	do(http.StatusCreated, r, err)
	secrets = append(secrets, c.Token)
	r, err = c.Items("about-you", map[string]any{"email": canary.Email, "given_name": canary.GivenName, "family_name": canary.FamilyName, "password": canary.Password})
	do(http.StatusUnprocessableEntity, r, err)
	r, err = c.Call("POST", "/v1/registration/steps/about-you", map[string]any{canary.Password: canary.Email})
	do(http.StatusBadRequest, r, err)
	r, err = c.Items("about-you", map[string]any{"email": canary.Email, "given_name": canary.GivenName, "family_name": canary.FamilyName})
	do(http.StatusOK, r, err)
	code, err := s.Code(canary.Email)
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, code)
	r, err = c.Step("verify-email", map[string]any{"code": "00000000"})
	do(http.StatusUnprocessableEntity, r, err)
	r, err = c.Step("verify-email", map[string]any{"code": code})
	do(http.StatusOK, r, err)
	secrets = append(secrets, c.Token)
	r, err = c.Items("password", map[string]any{"password": "short"})
	do(http.StatusUnprocessableEntity, r, err)
	r, err = c.Items("password", map[string]any{"password": canary.Password})
	secrets = append(secrets, do(http.StatusOK, r, err).Account.Username)
	for _, wrong := range []string{canary.Email, "nobody." + canary.Email} {
		r, err = c.Login(wrong, canary.Password+" not")
		do(http.StatusUnauthorized, r, err)
	}
	r, err = c.Login(strings.ToUpper(canary.Email), canary.Password)
	do(http.StatusOK, r, err)
	return secrets
}

func TestNoOutputTellsAboutAPerson(t *testing.T) {
	t.Parallel()
	s := testenv.Start(t, cheapHash)
	secrets := append(story(t, s), canary.Email, canary.GivenName, canary.FamilyName, canary.Password)
	outputs := map[string]string{}
	for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
		outputs[path] = fetch(t, s.Admin+path)
	}
	if code := s.Terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	outputs["log"] = s.Log()
	for name, text := range outputs {
		if len(text) < 10 {
			t.Errorf("%s is empty", name)
		}
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
	return string(text)
}

// auditLine is one line of the audit trail.
type auditLine struct {
	Time                                                          time.Time
	Msg, Event, Outcome, Step, State, Registration, Subject, Next string
	Request, Account, Client                                      string
}

func TestTheAuditTrailHasEveryEventOnce(t *testing.T) {
	t.Parallel()
	s := testenv.Start(t, cheapHash, "TZ=Asia/Tokyo")
	story(t, s)
	waitForLog(t, s, `"event":"login","outcome":"ok"`)
	var got []string
	registrations, subjects := map[string]bool{}, map[string]int{}
	for line := range strings.Lines(s.Log()) {
		var l auditLine
		if json.Unmarshal([]byte(line), &l) != nil || l.Msg != "audit" {
			continue
		}
		got = append(got, strings.TrimRight(l.Event+" "+l.Step+" "+l.Outcome, " "))
		if l.Registration != "" {
			registrations[l.Registration] = true
		}
		subjects[l.Subject]++
		if zone, offset := l.Time.Zone(); offset != 0 || !strings.Contains(line, `Z"`) {
			t.Errorf("a time is not in UTC but in %s: %s", zone, line)
		}
		if l.Request == "" {
			t.Errorf("no request: %s", line)
		}
	}
	want := []string{
		"registration.start  ok", "registration.answer about-you invalid_input", "registration.answer about-you malformed", "registration.answer about-you ok",
		"registration.answer verify-email wrong_code", "registration.answer verify-email ok",
		"registration.answer password invalid_input", "registration.answer password ok",
		"login  login_failed", "login  login_failed", "login  ok",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the trail is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
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

// waitForLog waits for a text in a sidecar's log: a line reaches the test a moment after the answer that it tells about.
func waitForLog(t *testing.T, s *testenv.Sidecar, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(s.Log(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log never has %s", text)
		}
	}
}
