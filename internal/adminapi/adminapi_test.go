package adminapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/adminapi"
)

// box is a mailbox of one mail.
type box struct{}

var letter = adminapi.Mail{
	ID: "1700000000-a.eml", At: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), From: "Narthex <no-reply@example.org>",
	To: "ada@example.org", Subject: `Your code <script>alert("subject")</script>`, Text: "1234 5678\n<script>alert('text')</script>",
	HTML: `<p style="color:green">1234 5678</p><script>alert("html")</script>" onload="alert(1)`,
}

func (box) List(context.Context) ([]adminapi.Mail, error) {
	m := letter
	m.Text, m.HTML = "", ""
	return []adminapi.Mail{m}, nil
}

func (box) Read(_ context.Context, id string) (adminapi.Mail, error) {
	if id != letter.ID {
		return adminapi.Mail{}, fs.ErrNotExist
	}
	return letter, nil
}

// trustingBox has a mail of every id.
type trustingBox struct{ box }

func (trustingBox) Read(context.Context, string) (adminapi.Mail, error) { return letter, nil }

func newAPI(t *testing.T, change func(*adminapi.Options)) (*adminapi.API, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	o := adminapi.Options{Listen: "127.0.0.1:8081", Log: slog.New(slog.NewTextHandler(&log, nil))}
	if change != nil {
		change(&o)
	}
	a, err := adminapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a, &log
}

func get(h http.Handler, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8081"+path, nil)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func asJSON(r *http.Request) { r.Header.Set("Accept", "application/json") }

func TestReadinessNamesThePartThatIsIll(t *testing.T) {
	var broken error
	a, log := newAPI(t, func(o *adminapi.Options) {
		o.Checks = []adminapi.Check{
			{Name: "state", Run: func(context.Context) error { return nil }},
			{Name: "persister", Run: func(context.Context) error { return broken }},
		}
	})
	if w := get(a, "/readyz"); w.Code != 200 || w.Body.String() != `{"status":"ready","checks":{"persister":"ok","state":"ok"}}` {
		t.Errorf("well: %d %s", w.Code, w.Body)
	}
	broken = errors.New("dial ldap://10.1.2.3: refused")
	for range 3 {
		if w := get(a, "/readyz"); w.Code != 503 || w.Body.String() != `{"status":"not ready","checks":{"persister":"failing","state":"ok"}}` {
			t.Errorf("ill: %d %s", w.Code, w.Body)
		}
	}
	if n := strings.Count(log.String(), "10.1.2.3"); n != 1 {
		t.Errorf("the reason is logged %d times", n)
	}
	broken = nil
	if w := get(a, "/readyz"); w.Code != 200 {
		t.Errorf("well again: %d", w.Code)
	}
}

func TestAPartThatRequestsCanDoWithoutDegradesOnly(t *testing.T) {
	var state, mail error
	a, log := newAPI(t, func(o *adminapi.Options) {
		o.Checks = []adminapi.Check{
			{Name: "mail", Run: func(context.Context) error { return mail }, Spared: true},
			{Name: "state", Run: func(context.Context) error { return state }},
		}
	})
	mail = errors.New("the mail server cannot be reached")
	if w := get(a, "/readyz"); w.Code != 200 || w.Body.String() != `{"status":"degraded","checks":{"mail":"failing","state":"ok"}}` {
		t.Errorf("without mails: %d %s", w.Code, w.Body)
	}
	state = errors.New("gone")
	if w := get(a, "/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), `"not ready"`) {
		t.Errorf("without both: %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "the mail server cannot be reached") {
		t.Errorf("the log does not say why: %s", log)
	}
	mail, state = nil, nil
	if w := get(a, "/readyz"); !strings.Contains(w.Body.String(), `"ready"`) {
		t.Errorf("well again: %s", w.Body)
	}
}

func TestMetricsAreServedWhereThereAreSome(t *testing.T) {
	var routes []string
	a, log := newAPI(t, func(o *adminapi.Options) {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
		o.Watch = func(ctx context.Context, method string) (context.Context, func(string, int)) {
			return ctx, func(route string, status int) { routes = append(routes, fmt.Sprint(method, " ", route, " ", status)) }
		}
	})
	if w := get(a, "/metrics"); w.Code != 200 || w.Body.String() != "up 1\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	get(a, "/secret/path")
	if want := []string{"GET /metrics 200", "GET none 404"}; !slices.Equal(routes, want) {
		t.Errorf("watched: %q, want %q", routes, want)
	}
	if strings.Contains(log.String(), "/metrics") {
		t.Errorf("every scrape is a line of the log: %s", log)
	}
	without, _ := newAPI(t, nil)
	if w := get(without, "/metrics"); w.Code != 404 {
		t.Errorf("without metrics: %d", w.Code)
	}
}

func TestDrainingIsNotReadyButAlive(t *testing.T) {
	a, _ := newAPI(t, nil)
	a.Drain()
	if w := get(a, "/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), "draining") {
		t.Errorf("ready: %d %s", w.Code, w.Body)
	}
	if w := get(a, "/healthz"); w.Code != 200 || w.Body.String() != `{"status":"alive"}` {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
}

func TestCheckThatHangsIsIllAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newAPI(t, func(o *adminapi.Options) {
			o.Checks = []adminapi.Check{{Name: "persister", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}}
		})
		start := time.Now()
		if w := get(a, "/readyz"); w.Code != 503 || time.Since(start) > 3*time.Second {
			t.Errorf("%d after %v", w.Code, time.Since(start))
		}
	})
}

func TestMailboxExistsOnlyInDevelopment(t *testing.T) {
	a, _ := newAPI(t, nil)
	for _, path := range []string{"/dev/mail", "/dev/mail/" + letter.ID, "/dev/style.css", "/debug/pprof/", "/v1/registration"} {
		if w := get(a, path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestMailsAreShownAndRunNothing(t *testing.T) {
	a, _ := newAPI(t, func(o *adminapi.Options) { o.Mailbox = box{} })
	if w := get(a, "/dev/mail/nothing"); w.Code != 404 {
		t.Errorf("an unknown mail: %d", w.Code)
	}
	for _, path := range []string{"/dev/mail", "/dev/mail/" + letter.ID} {
		w := get(a, path)
		page := w.Body.String()
		if w.Code != 200 || strings.Contains(page, "<script") || !strings.Contains(page, "ada@example.org") {
			t.Errorf("%s: %d %s", path, w.Code, page)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	page := get(a, "/dev/mail/"+letter.ID).Body.String()
	if !strings.Contains(page, "<pre class=\"text\">1234 5678\n&lt;script&gt;") || !strings.Contains(page, `<iframe sandbox="" srcdoc="&lt;p style=`) ||
		strings.Contains(page, `" onload="`) {
		t.Errorf("the mail is shown as %s", page)
	}
	list := get(a, "/dev/mail", asJSON).Body.String()
	if !strings.Contains(list, `"mails":[{"id":"1700000000-a.eml"`) {
		t.Errorf("the list as JSON: %s", list)
	}
	if one := get(a, "/dev/mail/"+letter.ID, asJSON).Body.String(); !strings.Contains(one, `"text":"1234 5678\n`) {
		t.Errorf("the mail as JSON: %s", one)
	}
}

func TestMailIDsLeadNowhereElse(t *testing.T) {
	a, _ := newAPI(t, func(o *adminapi.Options) { o.Mailbox = trustingBox{} })
	for _, id := range []string{"..", "%2e%2e%2fsecret", "..%2f..%2fetc%2fpasswd", ".hidden", strings.Repeat("a", 300), "a%00b"} {
		if w := get(a, "/dev/mail/"+id); w.Code != 404 {
			t.Errorf("%s: %d %s", id, w.Code, w.Body)
		}
	}
}

func TestForeignHostNamesAreNotAnswered(t *testing.T) {
	a, _ := newAPI(t, func(o *adminapi.Options) {
		o.Listen, o.Hosts, o.Mailbox = "admin.example.org:8081", []string{"narthex"}, box{}
	})
	for host, want := range map[string]int{
		"127.0.0.1:8081": 200, "localhost:8081": 200, "LOCALHOST": 200, "[::1]:8081": 200, "10.1.2.3:8081": 200, "admin.example.org:8081": 200,
		"narthex:8081": 200, "dev.localhost:8081": 200,
		"evil.example:8081": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "": 421, "evil.example#localhost": 421,
	} {
		for _, path := range []string{"/dev/mail", "/readyz"} {
			if w := get(a, path, func(r *http.Request) { r.Host = host }); w.Code != want {
				t.Errorf("%s with Host %q: %d, want %d", path, host, w.Code, want)
			}
		}
	}
}

func TestNamesAreFreeWhereOtherMachinesAskAndNoMailsAreShown(t *testing.T) {
	for _, c := range []struct {
		listen  string
		mailbox adminapi.Mailbox
		want    int
	}{{"0.0.0.0:8081", nil, 200}, {":8081", nil, 200}, {"10.0.0.7:8081", nil, 200}, {"127.0.0.1:8081", nil, 421}, {"[::1]:8081", nil, 421}, {"0.0.0.0:8081", box{}, 421}} {
		a, _ := newAPI(t, func(o *adminapi.Options) { o.Listen, o.Mailbox = c.listen, c.mailbox })
		if w := get(a, "/readyz", func(r *http.Request) { r.Host = "narthex.internal:8081" }); w.Code != c.want {
			t.Errorf("%s (mailbox: %v): %d, want %d", c.listen, c.mailbox != nil, w.Code, c.want)
		}
	}
}

func TestAnswersAreHardened(t *testing.T) {
	a, _ := newAPI(t, func(o *adminapi.Options) { o.Mailbox = box{} })
	for _, path := range []string{"/healthz", "/dev/mail", "/nothing"} {
		h := get(a, path).Header()
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8081/readyz", nil)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}
