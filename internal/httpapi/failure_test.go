package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

func TestEveryCodeHasAStatusATextAndAPlaceInTheContract(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, code := range doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Enum {
		listed[code.(string)] = true
		if !strings.Contains(doc.Info.Description, "`"+code.(string)+"`") {
			t.Errorf("the description does not explain %q", code)
		}
	}
	for _, code := range []flow.Code{flow.CodeDisabled, flow.CodeUnknownFlow, flow.CodeRegistrationGone, flow.CodeUnexpectedStep,
		flow.CodeInvalidInput, flow.CodeMalformed, flow.CodeWrongCode, flow.CodeTooManyAttempts, flow.CodeIdentifierTaken,
		flow.CodeRateLimited, flow.CodeUnavailable, flow.CodeLoginFailed} {
		_, status := httpapi.AsProblem(&flow.Problem{Code: code})
		if status == http.StatusInternalServerError || !listed[string(code)] {
			t.Errorf("%s has status %d and is listed: %v", code, status, listed[string(code)])
		}
		e := &flowtest.Engine{Before: func(context.Context) error { return &flow.Problem{Code: code} }}
		c := newClient(t, e)
		path, body := "/v1/registration/steps/x", "{}"
		if code == flow.CodeLoginFailed {
			path, body = "/v1/login", `{"identifier":"x","password":"x"}`
		}
		a := c.send("POST", path, body, bearer("x"))
		if a.Code != status || a.code() != string(code) {
			t.Errorf("%s is answered with %d instead of %d", code, a.Code, status)
		}
		if title, _ := a.body["title"].(string); title == "" {
			t.Errorf("%s has no text", code)
		}
		if (code == flow.CodeRateLimited || code == flow.CodeUnavailable) != (a.Header().Get("Retry-After") != "") {
			t.Errorf("%s: Retry-After is %q", code, a.Header().Get("Retry-After"))
		}
	}
}

func TestUnknownErrorsSayNothing(t *testing.T) {
	const secret = "dial tcp 10.1.2.3:389: hunter2"
	e := &flowtest.Engine{Before: func(context.Context) error { return errors.New(secret) }}
	c := newClient(t, e)
	a := c.must(c.send("POST", "/v1/registration", "{}"), 500, "internal")
	if len(a.body) != 4 || strings.Contains(a.Body.String(), "10.1.2.3") {
		t.Errorf("a fault says %s", a.Body)
	}
	id := a.Header().Get("X-Request-Id")
	if log := c.log.String(); !strings.Contains(log, secret) || strings.Count(log, id) != 2 || id == "" {
		t.Errorf("the log does not lead from %q to the fault: %s", id, log)
	}
}

func TestPanicIsOneRequestsFault(t *testing.T) {
	boom := true
	e := &flowtest.Engine{}
	e.Before = func(context.Context) error {
		if boom {
			panic("hunter2")
		}
		return nil
	}
	c := newClient(t, e)
	a := c.must(c.send("POST", "/v1/registration", "{}"), 500, "internal")
	if strings.Contains(a.Body.String()+c.log.String(), "hunter2") {
		t.Error("what was thrown is shown or logged")
	}
	if !strings.Contains(c.log.String(), "a handler panicked") || a.Header().Get("Cache-Control") != "no-store" {
		t.Error("the panic is not logged, or its answer not hardened")
	}
	boom = false
	c.must(c.send("POST", "/v1/registration", "{}"), 201, "")
}

func TestRequestThatTakesTooLongIsUnavailable(t *testing.T) {
	doc := contract(t)
	synctest.Test(t, func(t *testing.T) {
		e := &flowtest.Engine{Before: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		c := newClient(t, e)
		c.router = doc
		start := time.Now()
		c.must(c.send("POST", "/v1/registration", "{}"), 503, "unavailable")
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestOnlyTheWrittenPathsAndMethodsLeadAnywhere(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	for _, path := range []string{
		"/v1/registration/", "/v1//registration", "//v1/registration", "/V1/registration", "/v1/registration%2Fflows", "/v1/%72egistration",
		"/v1/./registration", "/v1/../v1/registration", "/v1/%2e%2e/v1/registration", "/v1/registration;a=b", "/v1/registration.json",
		"/v2/registration", "/registration", "/debug/pprof/", "/metrics", "/healthz", "/dev/mail", "/v1/registration/flows/x", "/",
	} {
		a := c.must(c.send("GET", path, "", bearer(token)), 404, "unknown")
		if a.Header().Get("Location") != "" {
			t.Errorf("%s redirects to %q", path, a.Header().Get("Location"))
		}
	}
	for _, r := range [][3]string{
		{"PUT", "/v1/registration", "DELETE, GET, POST"}, {"PATCH", "/v1/registration", "DELETE, GET, POST"}, {"TRACE", "/v1/registration", "DELETE, GET, POST"},
		{"OPTIONS", "/v1/registration", "DELETE, GET, POST"}, {"GET", "/v1/login", "POST"}, {"POST", "/v1/registration/flows", "GET"},
		{"GET", "/v1/registration/steps/about-you", "POST"}, {"GET", "/v1/registration/steps/about-you/resend", "POST"}, {"BREW", "/v1/login", "POST"},
	} {
		a := c.must(c.send(r[0], r[1], "", bearer(token)), 405, "method_not_allowed")
		if got := sorted(a.Header().Get("Allow")); got != r[2] {
			t.Errorf("%s %s: Allow is %q", r[0], r[1], got)
		}
	}
	c.must(c.send("POST", "/v1/registration/steps/about-you%2Fresend", "{}", bearer(token)), 409, "unexpected_step")
}

func TestAccessLogHoldsOneEscapedLinePerRequestAndNoSecret(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	const forged = "\",\"status\":200}\n{\"msg\":\"forged\x1b[31m"
	c.send("GET", "/v1/registration?token="+token, "", bearer(token), cookie(token), with("Referer", "https://x.example/"+token),
		with("User-Agent", forged), with("X-Request-Id", forged))
	c.send("POST", "/v1/registration/steps/forged%0aname", `{"items":{"email":"ada@example.org"}}`, bearer(token))
	c.send("GET", "/forged%0d%0apath", "")
	c.send("POST", "/v1/login", `{"identifier":"ada@example.org","password":"hunter2 hunter2"}`)
	log := c.log.String()
	for _, secret := range []string{token, "forged", "ada@example.org", "hunter2"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	lines := 0
	for s := bufio.NewScanner(strings.NewReader(log)); s.Scan(); lines++ {
		var event map[string]any
		if err := json.Unmarshal(s.Bytes(), &event); err != nil || event["msg"] != "request" || event["route"] == "" || event["status"] == nil {
			t.Errorf("no event: %v: %s", err, s.Text())
		}
	}
	if lines != 5 {
		t.Errorf("5 requests make %d lines", lines)
	}
	if !strings.Contains(log, `"route":"/v1/registration/steps/:step"`) || !strings.Contains(log, `"route":"none"`) {
		t.Error("the log does not name routes by their template")
	}
}

func sorted(list string) string {
	parts := strings.Split(list, ", ")
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
