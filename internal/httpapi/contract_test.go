package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/plugin"
)

const publicURL = "https://id.example.org"

var document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	doc.Servers = nil // the routes count, whatever the host
	return doc, nil
})

func contract(t *testing.T) routers.Router {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	r, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// client sends requests to an API and holds every answer against openapi.yaml.
type client struct {
	t       *testing.T
	handler http.Handler
	log     *lockedBuffer
	router  routers.Router
}

type answer struct {
	*httptest.ResponseRecorder
	body map[string]any
}

func (a answer) code() string { s, _ := a.body["code"].(string); return s }

func (a answer) token() string { s, _ := a.body["token"].(string); return s }

func (a answer) step() string {
	s, _ := a.body["step"].(map[string]any)
	name, _ := s["name"].(string)
	return name
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newClient(t *testing.T, e *flowtest.Engine, change ...func(*httpapi.Options)) *client {
	t.Helper()
	c := &client{t: t, log: &lockedBuffer{}, router: contract(t)}
	public, err := url.Parse(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	o := httpapi.Options{Flow: e, Login: oneAccount{}, PublicURL: public,
		Log: slog.New(slog.NewJSONHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&o)
	}
	c.handler = httpapi.New(o)
	return c
}

// with adds a header to a request.
func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func bearer(token string) func(*http.Request) { return with("Authorization", "Bearer "+token) }

func cookie(token string) func(*http.Request) {
	return with("Cookie", "__Host-narthex-registration="+token)
}

var sameOrigin = with("Sec-Fetch-Site", "same-origin")

// send makes a request; a body is sent as JSON unless a header says otherwise.
func (c *client) send(method, path, body string, change ...func(*http.Request)) answer {
	c.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, publicURL+path, content)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	c.holdAgainstContract(r, w)
	a := answer{ResponseRecorder: w}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			c.t.Fatalf("%s %s answered no JSON: %v: %s", method, path, err, w.Body)
		}
	}
	return a
}

func (c *client) holdAgainstContract(r *http.Request, w *httptest.ResponseRecorder) {
	c.t.Helper()
	route, params, err := c.router.FindRoute(r)
	if err != nil || strings.Contains(w.Body.String(), `"code":"unknown"`) { // the finder is laxer with paths than we are
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			c.t.Errorf("%s %s is no route of the contract and was answered with %q", r.Method, r.URL.Path, got)
		}
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 w.Code,
		Header:                 w.Header(),
		Body:                   io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		c.t.Errorf("%s %s: the answer breaks the contract: %v", r.Method, r.URL.Path, err)
	}
}

// must checks status and code of an answer.
func (c *client) must(a answer, status int, code string) answer {
	c.t.Helper()
	if a.Code != status || a.code() != code {
		c.t.Fatalf("want %d %q, got %d %q: %s\n%s", status, code, a.Code, a.code(), a.Body, c.log)
	}
	return a
}

func (c *client) start() string {
	c.t.Helper()
	return c.must(c.send("POST", "/v1/registration", "{}"), 201, "").token()
}

const aboutYou = `{"items":{"email":"ada@example.org","given_name":"Ada","family_name":"Lovelace"}}`

// oneAccount knows one account.
type oneAccount struct{}

func (oneAccount) Login(_ context.Context, identifier, password string) (plugin.Account, error) {
	if identifier == "ada@example.org" && password == "correct horse battery" {
		return plugin.Account{ID: "a-1", Username: "ada"}, nil
	}
	return plugin.Account{}, &flow.Problem{Code: flow.CodeLoginFailed}
}
