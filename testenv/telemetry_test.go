package testenv_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/narthex/narthex/testenv"
)

// administers returns the body of an answer of the admin listener.
func administers(t *testing.T, s *testenv.Sidecar, path string) (status int, body string) {
	t.Helper()
	r, err := http.Get(s.Admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// metrics returns the sums of all series of each metric whose labels contain every one of the words.
func metrics(t *testing.T, text, name string, words ...string) (sum float64) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, series := range families[name].GetMetric() {
		has := true
		for _, w := range words {
			found := false
			for _, l := range series.GetLabel() {
				found = found || l.GetName()+"="+l.GetValue() == w
			}
			has = has && found
		}
		if has {
			sum += series.GetCounter().GetValue() + series.GetGauge().GetValue()
		}
	}
	return sum
}

// TestWhatOperatorsSeeIsRightAndAboutNobody registers people, with mistakes, and looks at metrics, traces and log.
func TestWhatOperatorsSeeIsRightAndAboutNobody(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var traces bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.Copy(&traces, r.Body)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	s := testenv.Start(t, throughSMTP(server, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_BSP_SCHEDULE_DELAY=100")...)
	c := testenv.NewClient(s.URL)
	first, token := "", ""
	done, err := c.Register(victim, func(to string) (string, error) {
		code, err := server.Code(to)
		first, token = code, c.Token
		if r, errWrong := c.Step("verify-email", map[string]any{"code": "00000000"}); errWrong != nil || r.Status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong code: %v, %d %s", errWrong, r.Status, r.Raw)
		}
		return code, err
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Log())
	}
	if r, err := c.Login(victim.Email, "a wrong password, canary"); err != nil || r.Status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %v, %d", err, r.Status)
	}
	if r, err := c.Call("GET", "/v1/canary-of-a-path?canary=x", nil); err != nil || r.Status != http.StatusNotFound {
		t.Errorf("a path that is none: %v, %d", err, r.Status)
	}
	var status int
	var text string
	within(t, 20*time.Second, "done with its mail", func() bool { // it is struck off the outbox a little later
		status, text = administers(t, s, "/metrics")
		return status != http.StatusOK || metrics(t, text, "narthex_mails_waiting") == 0
	})
	if status != http.StatusOK {
		t.Fatalf("metrics: %d", status)
	}
	for _, want := range []struct {
		n      float64
		name   string
		labels []string
	}{
		{1, "narthex_registrations_started_total", []string{"flow=standard"}},
		{1, "narthex_registrations_completed_total", []string{"flow=standard"}},
		{1, "narthex_steps_total", []string{"kind=verify-email", "action=answer", "outcome=wrong_code"}},
		{1, "narthex_steps_total", []string{"kind=verify-email", "action=answer", "outcome=ok"}},
		{2, "narthex_steps_total", []string{"kind=data", "action=answer", "outcome=ok"}},
		{1, "narthex_store_calls_total", []string{"operation=create", "outcome=ok"}},
		{1, "narthex_http_requests_total", []string{"listener=public", "route=none", "class=4xx"}},
		{2, "narthex_http_requests_total", []string{"method=POST", "route=/v1/registration/steps/:step", "class=2xx"}},
		{1, "narthex_mails_total", []string{"outcome=sent"}},
		{1, "narthex_mail_up", nil},
		{0, "narthex_mails_waiting", nil},
		{1, "narthex_build_info", nil},
	} {
		n := metrics(t, text, want.name, want.labels...)
		if want.name == "narthex_http_requests_total" && n >= want.n || n == want.n {
			continue
		}
		t.Errorf("%s%v is %v, want %v", want.name, want.labels, n, want.n)
	}
	if metrics(t, text, "go_goroutines") == 0 || metrics(t, text, "process_resident_memory_bytes") == 0 {
		t.Error("nothing is told of the process")
	}
	if code := s.Terminate(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, name := range []string{"store lookup", "trip answer", "POST /v1/registration/steps/:step", "narthex"} {
		if !strings.Contains(traces.String(), name) {
			t.Errorf("no trace has %q", name)
		}
	}
	for where, seen := range map[string]string{"metrics": text, "traces": traces.String(), "log": s.Log()} {
		for _, canary := range []string{victim.Email, strings.ToLower(victim.Email), victim.FamilyName, victim.Password, "canary", first, token, done.Account.Username} {
			if canary == "" || strings.Contains(seen, canary) {
				t.Errorf("%q is in the %s", canary, where)
			}
		}
	}
	requestsInLog(t, s.Log())
}

// requestsInLog looks whether every line about a request names it.
func requestsInLog(t *testing.T, log string) {
	t.Helper()
	lines := 0
	for line := range strings.Lines(log) {
		var l struct{ Msg, Request, Route string }
		if json.Unmarshal([]byte(line), &l) != nil || l.Route == "" {
			continue
		}
		if lines++; len(l.Request) != 24 {
			t.Errorf("a line without its request: %s", line)
		}
	}
	if lines == 0 {
		t.Error("the log has no requests")
	}
}

// TestAMailServerThatIsAwayDegradesTheSidecarAndNoMore looks at readiness and metrics during an outage.
func TestAMailServerThatIsAwayDegradesTheSidecarAndNoMore(t *testing.T) {
	t.Parallel()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	s := testenv.Start(t, throughSMTP(server)...)
	if status, body := administers(t, s, "/readyz"); status != http.StatusOK || !strings.Contains(body, `"ready"`) || !strings.Contains(body, `"mail":"ok"`) {
		t.Errorf("well: %d %s", status, body)
	}
	server.Stop()
	submits(t, testenv.NewClient(s.URL), victim.Email)
	within(t, 20*time.Second, "degraded", func() bool {
		status, body := administers(t, s, "/readyz")
		return status == http.StatusOK && strings.Contains(body, `"degraded"`) && strings.Contains(body, `"mail":"failing"`)
	})
	_, text := administers(t, s, "/metrics")
	if up, waiting := metrics(t, text, "narthex_mail_up"), metrics(t, text, "narthex_mails_waiting"); up != 0 || waiting != 1 {
		t.Errorf("up %v, waiting %v", up, waiting)
	}
	server.Restart()
	within(t, 20*time.Second, "well again", func() bool {
		_, body := administers(t, s, "/readyz")
		return strings.Contains(body, `"status":"ready"`)
	})
}

func within(t *testing.T, limit time.Duration, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is not %s after %v", what, limit)
		}
	}
}
