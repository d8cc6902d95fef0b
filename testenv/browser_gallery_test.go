package testenv_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/internal/web"
	"github.com/narthex/narthex/testenv"
)

// gallery serves the real pages on a small engine in memory, so that a browser can be led into every state.
type gallery struct {
	*testenv.Browser
	t      *testing.T
	base   string
	closed string // where nobody may register

	mu    sync.Mutex
	late  time.Duration // how much later it is than by the real clock
	fault error
}

func newGallery(t *testing.T, theme fs.FS) *gallery {
	t.Helper()
	g := &gallery{Browser: testenv.NewBrowser(t), t: t}
	g.base = g.serve(&flowtest.Engine{AllTypes: true, LoginURL: "https://login.example.org/", Now: g.now, Before: g.trouble}, theme)
	g.closed = g.serve(&flowtest.Engine{Closed: true}, theme)
	return g
}

func (g *gallery) serve(e *flowtest.Engine, theme fs.FS) string {
	g.t.Helper()
	s := httptest.NewUnstartedServer(nil)
	public := &url.URL{Scheme: "http", Host: s.Listener.Addr().String()}
	log := slog.New(slog.DiscardHandler)
	pages, err := web.New(web.Options{Flow: e, PublicURL: public, Log: log, Now: g.now, Theme: theme})
	if err != nil {
		g.t.Fatal(err)
	}
	s.Config.Handler = httpapi.New(httpapi.Options{Flow: e, PublicURL: public, Log: log, Pages: pages})
	s.Start()
	g.t.Cleanup(s.Close)
	return public.String()
}

func (g *gallery) now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Add(g.late)
}

func (g *gallery) trouble(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fault
}

func (g *gallery) set(late time.Duration, fault error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.late, g.fault = late, fault
}

// enter puts values into fields: names and values by turns.
func (g *gallery) enter(pairs ...string) {
	g.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		testenv.Evaluate[string](g.Browser, fmt.Sprintf("document.querySelector('[name=%s]').value = %q", pairs[i], pairs[i+1]))
	}
}

// click presses a button, and waits for the page that follows.
func (g *gallery) click(selector string) {
	g.t.Helper()
	if _, err := testenv.Follow(g.Browser, chromedp.Click(selector)); err != nil {
		g.t.Fatalf("click %s: %v", selector, err)
	}
}

// visit walks through every state of the pages in one language, and looks at each.
func (g *gallery) visit(language string, look func(state string)) {
	g.t.Helper()
	const next = "form:not(.languages):not(.leave) button.primary"
	g.set(0, nil)
	g.Go(g.base + "/register/standard")
	g.click("button[lang=" + language + "]")
	look("intro")
	g.click(next)
	look("form")
	g.click(next)
	look("form-violations")
	ada := []string{"email", "ada.lovelace@analytical-engine.example.org", "given_name", "Ada", "family_name", "Lovelace"}
	g.enter(ada...)
	g.click(next)
	look("verify")
	g.enter("code", "00000000")
	g.click(next)
	look("wrong-code")
	g.click("form[action$=resend] button")
	look("resend-too-early")
	g.set(2*time.Minute, nil)
	g.click("form[action$=resend] button")
	look("resent")
	g.set(2*time.Minute, &flow.Problem{Code: flow.CodeUnavailable, RetryAfter: 90 * time.Second})
	g.Go(g.base + "/register/standard")
	look("unavailable")
	g.set(2*time.Minute, errors.New("a fault"))
	g.Go(g.base + "/register/standard")
	look("error")
	g.set(2*time.Minute, nil)
	g.Go(g.base + "/register/standard")
	g.enter("code", flowtest.RightCode)
	g.click(next)
	look("password")
	g.enter("password", "short")
	g.click(next)
	look("password-refused")
	g.enter("password", "correct horse battery staple")
	g.click(next)
	look("done")
	g.set(2*time.Minute, &flow.Problem{Code: flow.CodeRateLimited, RetryAfter: 3 * time.Hour})
	g.click(".leave button")
	look("rate-limited")
	g.set(3*time.Hour, nil)
	g.Go(g.base + "/register/standard")
	look("gone")
	g.click(next)
	g.click(".leave button")
	look("cancelled")
	g.Go(g.base + "/nothing")
	look("not-found")
	g.Go(g.closed + "/register")
	g.click("button[lang=" + language + "]")
	look("closed")
}
