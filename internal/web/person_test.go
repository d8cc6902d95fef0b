package web_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/internal/web"
)

// person is somebody at a browser without scripts: it keeps cookies, follows redirects, and sends forms as they stand
// on the page.
type person struct {
	t      testing.TB
	base   string
	client *http.Client
	header http.Header // of every form
	log    *bytes.Buffer
}

func visit(t testing.TB, e *flowtest.Engine, change ...func(*web.Options)) *person {
	t.Helper()
	p := &person{t: t, log: &bytes.Buffer{}, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
	s := httptest.NewUnstartedServer(nil)
	p.base = "http://" + s.Listener.Addr().String()
	public, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(p.log, nil))
	o := web.Options{Flow: e, PublicURL: public, Log: log}
	for _, f := range change {
		f(&o)
	}
	pages, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = httpapi.New(httpapi.Options{Flow: e, PublicURL: public, Log: log, Pages: pages})
	s.Start()
	t.Cleanup(s.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.client = &http.Client{Jar: jar}
	return p
}

func (p *person) do(r *http.Request) *seen {
	p.t.Helper()
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	s := &seen{p.t, resp.StatusCode, resp.Request.URL.Path, string(body), resp.Header, root}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		s.mustBeSound()
	}
	return s
}

func (p *person) open(path string) *seen {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(r)
}

// post sends a form to a path, whatever stands on the page.
func (p *person) post(path string, values url.Values) *seen {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.base+path, strings.NewReader(values.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header = p.header.Clone()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r)
}

// press presses the button of this name, after filling in fields by their labels.
func (p *person) press(on *seen, button string, fields ...string) *seen {
	p.t.Helper()
	form := on.formOf(button)
	if form == nil {
		p.t.Fatalf("there is no button %q on the page:\n%s", button, on.text)
	}
	values := defaults(form)
	for n := range form.Descendants() {
		if n.Data == "button" && textOf(n) == button && attr(n, "name") != "" {
			values.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	for i := 0; i+1 < len(fields); i += 2 {
		name := attr(on.byID(on.labelled(fields[i])), "name")
		if name == "" {
			p.t.Fatalf("there is no field %q on the page:\n%s", fields[i], on.text)
		}
		values.Set(name, fields[i+1])
	}
	return p.post(attr(form, "action"), values)
}
