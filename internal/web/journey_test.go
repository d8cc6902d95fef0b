package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/internal/web"
)

const flowPath = "/register/standard"

// begun opens the first step.
func (p *person) begun() *seen {
	p.t.Helper()
	return p.press(p.open("/"), "Get started").must(200, flowPath, "Email address")
}

var ada = []string{"Email address", "ada@example.org", "First name", "Ada", "Last name", "Lovelace"}

// verifying opens the verification.
func (p *person) verifying() *seen {
	p.t.Helper()
	return p.press(p.begun(), "Continue", ada...).must(200, flowPath, "Check your mail")
}

func TestPersonRegistersWithoutScripts(t *testing.T) {
	p := visit(t, &flowtest.Engine{LoginURL: "https://login.example.org/start"})
	verify := p.verifying().must(200, flowPath, "a…@example.org", `autocomplete="one-time-code"`, `inputmode="numeric"`)
	if about := attr(verify.byID("field-code"), "aria-describedby"); about != "target field-code-hint" || !strings.Contains(textOf(verify.byID("target")), "a…@example.org") {
		t.Errorf("the code is described by %q", about)
	}
	password := p.press(verify, "Continue", "Code", "12345678").must(200, flowPath, `type="password"`, `autocomplete="new-password"`, `minlength="15"`)
	done := p.press(password, "Continue", "Password", "correct horse battery").
		must(200, flowPath, "Your account is ready", "u7k2m9x4", `href="https://login.example.org/start"`).mustNot("correct horse")
	if again := p.open(flowPath); again.text != done.text {
		t.Error("a reload shows something else")
	}
}

func TestErrorsAreSummedUpAndWhatWasEnteredStays(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	wrong := p.press(p.begun(), "Continue", "Email address", "ada", "Last name", "Lovelace").must(422, flowPath+"/steps/about-you",
		"<title>Error: Create your account</title>", `role="alert"`, `href="#field-email"`, `href="#field-given_name"`, `value="ada"`, `value="Lovelace"`)
	for _, name := range []string{"email", "given_name"} {
		input := wrong.byID("field-" + name)
		if attr(input, "aria-invalid") != "true" || !strings.Contains(attr(input, "aria-describedby"), "field-"+name+"-error") {
			t.Errorf("the field %s does not say what is wrong with it", name)
		}
	}
	p.press(wrong, "Continue", "Email address", "ada@example.org", "First name", "Ada").must(200, flowPath, "Check your mail")
}

func TestPasswordsAndCodesNeverComeBack(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	wrong := p.press(p.verifying(), "Continue", "Code", "87654321").must(422, flowPath+"/steps/verify-email", "You have 4 tries left.").mustNot("87654321")
	password := p.press(wrong, "Continue", "Code", "12345678")
	p.press(password, "Continue", "Password", "hunter2").must(422, flowPath+"/steps/password", "at least 15 characters").mustNot("hunter2")
}

func TestTooManyWrongCodesEndWithAFreshStart(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	page := p.verifying()
	for range 3 {
		page = p.press(page, "Continue", "Code", "00000000")
	}
	page = p.press(page, "Continue", "Code", "00000000").must(422, flowPath+"/steps/verify-email", "You have 1 try left.")
	over := p.press(page, "Continue", "Code", "00000000").must(410, flowPath+"/steps/verify-email", "Too many wrong codes")
	p.press(over, "Start again").must(200, flowPath, "Email address")
}

func TestExpiredRegistrationOffersAFreshStart(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	p := visit(t, &flowtest.Engine{Now: clock}, func(o *web.Options) { o.Now = clock })
	page := p.verifying()
	now = now.Add(3 * time.Hour)
	over := p.press(page, "Continue", "Code", "12345678").must(410, flowPath+"/steps/verify-email", "This registration has ended", "Nothing was created")
	p.press(over, "Start again").must(200, flowPath, "Email address")
	now = now.Add(3 * time.Hour)
	p.open(flowPath).must(410, flowPath, "This registration has ended")
	p.open(flowPath).must(200, flowPath, "Get started")
}

func TestMistypedAddressCanBeCorrected(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	back := p.press(p.verifying(), "Wrong address? Change it").must(200, flowPath, `value="ada@example.org"`, `value="Lovelace"`)
	p.press(back, "Continue", "Email address", "ada@example.net").must(200, flowPath, "a…@example.net")
}

func TestResendTellsTheWaitingTime(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	p := visit(t, &flowtest.Engine{Now: clock}, func(o *web.Options) { o.Now = clock })
	page := p.verifying().must(200, flowPath, "You can ask for a new code in 60 seconds.")
	now = now.Add(18 * time.Second)
	early := p.press(page, "Send a new code").must(429, flowPath+"/steps/verify-email/resend", "Please wait 42 seconds and try again.")
	if early.header.Get("Retry-After") != "42" {
		t.Errorf("Retry-After is %q", early.header.Get("Retry-After"))
	}
	now = now.Add(42 * time.Second)
	p.press(early, "Send a new code").must(200, flowPath, "A new code is on its way", "You can ask for a new code in 120 seconds.")
	p.open(flowPath+"?notice=%3Cscript%3E").must(200, flowPath, "Check your mail").mustNot("script", "on its way")
}

func TestSecondClicksBackAndReloadDoNoHarm(t *testing.T) {
	e := &flowtest.Engine{}
	p := visit(t, e)
	intro := p.open("/")
	first := p.press(intro, "Get started")
	p.press(intro, "Get started").must(200, flowPath, "Email address")
	if e.Rows() != 1 {
		t.Errorf("two clicks begin %d registrations", e.Rows())
	}
	verify := p.press(first, "Continue", ada...)
	p.press(first, "Continue", "Email address", "eve@example.org", "First name", "Eve", "Last name", "X").must(200, flowPath, "a…@example.org")
	p.press(verify, "Continue", "Code", "12345678").must(200, flowPath, "Choose a password")
	p.press(verify, "Continue", "Code", "12345678").must(200, flowPath, "Choose a password")
	p.press(verify, "Send a new code").must(200, flowPath, "Choose a password")
	p.press(verify, "Wrong address? Change it").must(200, flowPath, "Choose a password")
	p.open(flowPath+"/steps/verify-email").must(200, flowPath, "Choose a password")
	p.open(flowPath+"/steps/verify-email/resend").must(200, flowPath, "Choose a password")
	if done := p.press(p.open(flowPath), "Continue", "Password", "correct horse battery"); e.Rows() != 1 {
		t.Errorf("there are %d registrations: %s", e.Rows(), done.text)
	}
	p.press(p.open(flowPath), "Create another account").must(200, flowPath, "Email address").mustNot("ada@example.org")
}

func TestCancelledRegistrationLeavesNothing(t *testing.T) {
	e := &flowtest.Engine{}
	p := visit(t, e)
	page := p.verifying()
	p.press(page, "Cancel registration").must(200, flowPath+"/abort", "Registration cancelled")
	if e.Rows() != 0 {
		t.Error("the registration is still there")
	}
	p.press(page, "Cancel registration").must(200, flowPath+"/abort", "Registration cancelled")
	p.open(flowPath).must(200, flowPath, "Get started")
}

func TestTakenAddressLeadsBackToItsField(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	page := p.press(p.begun(), "Continue", "Email address", flowtest.TakenEmail, "First name", "Ada", "Last name", "Lovelace")
	page = p.press(page, "Continue", "Code", "12345678")
	p.press(page, "Continue", "Password", "correct horse battery").must(409, flowPath+"/steps/password",
		"This address is taken.", `href="#field-email"`, `value="`+flowtest.TakenEmail+`"`)
}

func TestGETChangesNothing(t *testing.T) {
	e := &flowtest.Engine{}
	p := visit(t, e)
	for _, path := range []string{"/", "/register", flowPath, flowPath + "/abort", flowPath + "/steps/about-you?email=a@example.org"} {
		p.open(path).must(200, flowPath, "Get started")
	}
	if e.Rows() != 0 {
		t.Error("a GET began a registration")
	}
	p.verifying()
	for _, path := range []string{flowPath + "/abort", flowPath + "/steps/verify-email/change", flowPath + "/steps/verify-email?code=12345678"} {
		p.open(path).must(200, flowPath, "Check your mail")
	}
}

func TestClosedRegistrationShowsNoForm(t *testing.T) {
	e := &flowtest.Engine{}
	p := visit(t, e)
	p.begun()
	e.Closed = true
	for _, path := range []string{"/register", flowPath} {
		if page := p.open(path); page.status != 403 || !strings.Contains(page.text, "Registration is closed") || page.formOf("Get started") != nil {
			t.Errorf("%s: %d %s", path, page.status, page.text)
		}
	}
	for _, path := range []string{flowPath, flowPath + "/steps/about-you", flowPath + "/steps/about-you/resend", flowPath + "/abort"} {
		p.post(path, url.Values{"email": {"a@example.org"}}).must(403, path, "Registration is closed")
	}
	p.client.Jar = nil
	p.open(flowPath).must(403, flowPath, "Registration is closed")
}

func TestFaultsShowAPageThatSaysNothing(t *testing.T) {
	var fault error
	e := &flowtest.Engine{Before: func(context.Context) error { return fault }}
	p := visit(t, e)
	page := p.begun()
	fault = errors.New("dial 10.1.2.3: hunter2")
	p.press(page, "Continue", ada...).must(500, flowPath+"/steps/about-you", "Something went wrong on our side").mustNot("hunter2")
	fault = &flow.Problem{Code: flow.CodeUnavailable, RetryAfter: 7 * time.Second}
	if busy := p.press(page, "Continue", ada...).must(503, flowPath+"/steps/about-you", "Nothing is lost"); busy.header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After is %q", busy.header.Get("Retry-After"))
	}
	e.Before = func(context.Context) error { panic("hunter2") }
	p.open(flowPath).must(500, flowPath, "Something went wrong on our side").mustNot("hunter2")
	e.Before = nil
	p.open(flowPath).must(200, flowPath, "Email address") // the process lives, and so does the registration
	if strings.Count(p.log.String(), "hunter2") != 1 {
		t.Error("the fault is not in the log once, or the panic's text is")
	}
}

func TestUnknownPagesAreFriendly(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	p.open("/nothing").must(404, "/nothing", "This page does not exist")
	p.open("/register/staff").must(404, "/register/staff", "There is no such registration")
	p.post("/register/staff", nil).must(404, "/register/staff", "There is no such registration")
	p.post("/register", nil).must(405, "/register", "Go to the registration")
	if api := p.open("/v1/nothing"); api.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the API answers with %q", api.header.Get("Content-Type"))
	}
	r, err := http.NewRequest(http.MethodHead, p.base+flowPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	head, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer head.Body.Close()
	if head.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %d", head.StatusCode)
	}
}
