package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

func TestWholeRegistrationOverTheAPI(t *testing.T) {
	c := newClient(t, &flowtest.Engine{LoginURL: "https://login.example.org/"})
	list := c.must(c.send("GET", "/v1/registration/flows", ""), 200, "")
	if list.body["enabled"] != true || list.body["default"] != "standard" {
		t.Errorf("the list of flows is %s", list.Body)
	}
	first := c.must(c.send("POST", "/v1/registration", "{}"), 201, "")
	token := first.token()
	if first.step() != "about-you" || token == "" {
		t.Fatalf("begins with %s", first.Body)
	}
	c.must(c.send("GET", "/v1/registration", "", bearer(token)), 200, "")
	verify := c.must(c.send("POST", "/v1/registration/steps/about-you", aboutYou, bearer(token)), 200, "")
	step := verify.body["step"].(map[string]any)
	if step["target"] != "a…@example.org" || step["attempts_left"] != 5.0 || step["can_change"] != true || verify.token() != "" {
		t.Errorf("the verification shows %s", verify.Body)
	}
	wrong := c.must(c.send("POST", "/v1/registration/steps/verify-email", `{"code":"00000000"}`, bearer(token)), 422, "wrong_code")
	if wrong.body["attempts_left"] != 4.0 {
		t.Errorf("a wrong code leaves %v tries", wrong.body["attempts_left"])
	}
	proved := c.must(c.send("POST", "/v1/registration/steps/verify-email", `{"code":"12345678"}`, bearer(token)), 200, "")
	if proved.token() == "" || proved.token() == token {
		t.Fatal("a proof brings no new token")
	}
	c.must(c.send("GET", "/v1/registration", "", bearer(token)), 410, "registration_gone")
	end := c.must(c.send("POST", "/v1/registration/steps/password", `{"items":{"password":"correct horse battery"}}`, bearer(proved.token())), 200, "")
	account := end.body["account"].(map[string]any)
	if end.body["state"] != "completed" || account["username"] != "u7k2m9x4" || end.step() != "" {
		t.Errorf("ends with %s", end.Body)
	}
	if strings.Contains(end.Body.String(), "correct horse") {
		t.Error("a password comes back")
	}
}

func TestResendBeforeItsTimeSaysHowLongToWait(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	c := newClient(t, &flowtest.Engine{Now: func() time.Time { return now }})
	token := c.start()
	c.must(c.send("POST", "/v1/registration/steps/about-you", aboutYou, bearer(token)), 200, "")
	now = now.Add(17500 * time.Millisecond)
	early := c.must(c.send("POST", "/v1/registration/steps/verify-email/resend", "", bearer(token)), 429, "rate_limited")
	if early.Header().Get("Retry-After") != "43" {
		t.Errorf("42.5 s to wait are told as %q", early.Header().Get("Retry-After"))
	}
	now = now.Add(43 * time.Second)
	c.must(c.send("POST", "/v1/registration/steps/verify-email/resend", "{}", bearer(token)), 200, "")
}

func TestChangeLeadsBackWithWhatWasEntered(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	c.must(c.send("POST", "/v1/registration/steps/about-you", aboutYou, bearer(token)), 200, "")
	back := c.must(c.send("POST", "/v1/registration/steps/verify-email/change", "", bearer(token)), 200, "")
	if back.step() != "about-you" || !strings.Contains(back.Body.String(), `"value":"ada@example.org"`) {
		t.Errorf("leads back to %s", back.Body)
	}
}

func TestAbortLeavesNothingAndTakesTheCookieBack(t *testing.T) {
	e := &flowtest.Engine{}
	c := newClient(t, e)
	token := c.start()
	gone := c.must(c.send("DELETE", "/v1/registration", "", cookie(token), sameOrigin), 204, "")
	if e.Rows() != 0 {
		t.Error("the registration is still there")
	}
	if got := gone.Header().Get("Set-Cookie"); !strings.Contains(got, "__Host-narthex-registration=;") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("the cookie is not taken back: %q", got)
	}
	c.must(c.send("GET", "/v1/registration", "", bearer(token)), 410, "registration_gone")
}

func TestClosedRegistrationIsRefusedOnEveryRoute(t *testing.T) {
	e := &flowtest.Engine{}
	c := newClient(t, e)
	token := c.start()
	e.Closed = true
	list := c.must(c.send("GET", "/v1/registration/flows", ""), 200, "")
	if list.body["enabled"] != false {
		t.Error("a closed registration is offered")
	}
	for _, r := range [][3]string{
		{"POST", "/v1/registration", "{}"},
		{"POST", "/v1/registration", `{"flow":"standard"}`},
		{"GET", "/v1/registration", ""},
		{"DELETE", "/v1/registration", ""},
		{"POST", "/v1/registration/steps/about-you", aboutYou},
		{"POST", "/v1/registration/steps/verify-email/resend", ""},
		{"POST", "/v1/registration/steps/verify-email/change", ""},
	} {
		if a := c.send(r[0], r[1], r[2], bearer(token)); a.Code != 403 || a.code() != "disabled" {
			t.Errorf("%s %s: %d %s", r[0], r[1], a.Code, a.Body)
		}
	}
}

func TestLoginAnswersEveryFailureAlike(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	right := c.must(c.send("POST", "/v1/login", `{"identifier":"ada@example.org","password":"correct horse battery"}`), 200, "")
	account := right.body["account"].(map[string]any)
	if account["id"] != "a-1" || account["username"] != "ada" {
		t.Errorf("logged in as %v", account)
	}
	var first string
	for _, body := range []string{
		`{"identifier":"ada@example.org","password":"wrong"}`,
		`{"identifier":"nobody@example.org","password":"correct horse battery"}`,
		`{"identifier":"","password":""}`,
		`{"identifier":"+49 30 1234","password":"` + strings.Repeat("x", 5000) + `"}`,
	} {
		a := c.must(c.send("POST", "/v1/login", body), 401, "login_failed")
		got := a.Body.String() + headersWithoutID(a.Header())
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("%.60s is answered differently:\n%s\n%s", body, first, got)
		}
	}
	c.must(c.send("POST", "/v1/login", `{"identifier":"ada@example.org"}`), 400, "malformed")
}

func headersWithoutID(h http.Header) string {
	var b strings.Builder
	clone := h.Clone()
	clone.Del("X-Request-Id")
	_ = clone.Write(&b)
	return b.String()
}

func TestUnknownFlowIsNotFound(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	c.must(c.send("POST", "/v1/registration", `{"flow":"staff"}`), 404, string(flow.CodeUnknownFlow))
}

func TestReturnAddressIsTheEnginesToJudge(t *testing.T) {
	e := &flowtest.Engine{}
	c := newClient(t, e)
	for _, target := range []string{"//evil.example", `/\\evil.example`, "https://id.example.org@evil.example", "javascript:alert(1)", "https://evil.example/%0d%0aSet-Cookie:x"} {
		a := c.must(c.send("POST", "/v1/registration", `{"return_to":"`+target+`"}`), 422, "invalid_input")
		if a.Header().Get("Location") != "" || e.Rows() != 0 {
			t.Errorf("%s leads somewhere", target)
		}
	}
}
