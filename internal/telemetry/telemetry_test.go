package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/telemetry"
	"github.com/narthex/narthex/plugin"
)

func start(t *testing.T, environ ...string) *telemetry.Telemetry {
	t.Helper()
	m, err := telemetry.New(t.Context(), telemetry.Options{Version: "v1.2.3", Environ: environ, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// scrape returns the value of every series, under its name and labels; of a histogram, its count.
func scrape(t *testing.T, m *telemetry.Telemetry) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for name, f := range families {
		for _, s := range f.GetMetric() {
			var labels []string
			for _, l := range s.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			values[name+"{"+strings.Join(labels, ",")+"}"] = s.GetCounter().GetValue() + s.GetGauge().GetValue() + float64(s.GetHistogram().GetSampleCount())
		}
	}
	return values
}

func expect(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for series, n := range want {
		if v, there := got[series]; !there || v != n {
			t.Errorf("%s is %v (%v), want %v", series, v, there, n)
		}
	}
}

func TestRequestsAndTripsAreCounted(t *testing.T) {
	m := start(t)
	for range 2 {
		_, end := m.Watch("public", true)(t.Context(), "POST")
		end("/v1/registration/steps/:step", 422)
	}
	_, end := m.Watch("admin", false)(t.Context(), "GET")
	end("none", 0)
	for _, err := range []error{nil, &flow.Problem{Code: flow.CodeWrongCode}, fmt.Errorf("wrapped: %w", &flow.Problem{Code: flow.CodeUnavailable}), errors.New("canary")} {
		_, end := m.Trip(t.Context(), flow.ActionAnswer)
		end("standard", "verify-email", err)
	}
	_, endStart := m.Trip(t.Context(), flow.ActionStart)
	endStart("standard", "data", nil)
	_, endNowhere := m.Trip(t.Context(), flow.ActionShow)
	endNowhere("", "", &flow.Problem{Code: flow.CodeRegistrationGone})
	m.Completed("standard")
	expect(t, scrape(t, m), map[string]float64{
		"narthex_http_requests_total{class=4xx,listener=public,method=POST,route=/v1/registration/steps/:step}": 2,
		"narthex_http_requests_total{class=other,listener=admin,method=GET,route=none}":                         1,
		"narthex_http_request_seconds{listener=public,route=/v1/registration/steps/:step}":                      2,
		"narthex_steps_total{action=answer,flow=standard,kind=verify-email,outcome=ok}":                         1,
		"narthex_steps_total{action=answer,flow=standard,kind=verify-email,outcome=wrong_code}":                 1,
		"narthex_steps_total{action=answer,flow=standard,kind=verify-email,outcome=unavailable}":                1,
		"narthex_steps_total{action=answer,flow=standard,kind=verify-email,outcome=error}":                      1,
		"narthex_steps_total{action=show,flow=none,kind=none,outcome=registration_gone}":                        1,
		"narthex_step_seconds{action=answer,kind=verify-email}":                                                 4,
		"narthex_registrations_started_total{flow=standard}":                                                    1,
		"narthex_registrations_completed_total{flow=standard}":                                                  1,
	})
}

func TestMailsAreLookedAtWhenSomebodyAsks(t *testing.T) {
	m := start(t)
	about := telemetry.Mails{Sent: 3, Refused: 1, Retried: 7, Down: true, Waiting: 2, Oldest: 90 * time.Second}
	m.Mails(func(context.Context) telemetry.Mails { return about })
	expect(t, scrape(t, m), map[string]float64{
		"narthex_mails_total{outcome=sent}": 3, "narthex_mails_total{outcome=refused}": 1, "narthex_mails_total{outcome=retried}": 7, "narthex_mails_total{outcome=expired}": 0,
		"narthex_mail_up{}": 0, "narthex_mails_waiting{}": 2, "narthex_mails_oldest_seconds{}": 90,
	})
	about = telemetry.Mails{Waiting: -1}
	got := scrape(t, m)
	if _, there := got["narthex_mails_waiting{}"]; there || got["narthex_mail_up{}"] != 1 {
		t.Errorf("what nobody could be asked about is told: %v", got)
	}
}

// failing is a store that can do everything, and fails at it in its own way.
type failing struct{ err error }

func (f failing) Describe(context.Context) (plugin.Description, error) {
	return plugin.Description{}, f.err
}
func (f failing) Create(context.Context, plugin.NewAccount) (plugin.Account, error) {
	return plugin.Account{}, f.err
}
func (f failing) Resolve(context.Context, plugin.Attempt, []plugin.Key) (plugin.Account, error) {
	return plugin.Account{}, f.err
}
func (f failing) Lookup(context.Context, plugin.Key) (plugin.Account, error) {
	return plugin.Account{}, f.err
}
func (f failing) Get(context.Context, plugin.ID) (plugin.Account, error) {
	return plugin.Account{}, f.err
}
func (f failing) Delete(context.Context, plugin.ID) error { return f.err }
func (f failing) Ping(context.Context) error              { return f.err }
func (f failing) Authenticate(context.Context, plugin.Key, plugin.Secret) (plugin.Account, error) {
	return plugin.Account{}, f.err
}
func (f failing) SetPassword(context.Context, plugin.ID, plugin.Secret) error { return f.err }
func (f failing) Update(context.Context, plugin.ID, plugin.Change) (plugin.Account, error) {
	return plugin.Account{}, f.err
}
func (f failing) List(context.Context, plugin.ListQuery) (plugin.Page, error) {
	return plugin.Page{}, f.err
}
func (f failing) Maintain(context.Context) (plugin.MaintainReport, error) {
	return plugin.MaintainReport{}, f.err
}
func (f failing) Statuses(context.Context, []plugin.ID) ([]plugin.Status, error) { return nil, f.err }
func (f failing) CheckSchema(context.Context, []plugin.AttributeUse) (plugin.SchemaReport, error) {
	return plugin.SchemaReport{}, f.err
}

// TestEveryCallOfTheStoreIsMeasuredAndNothingElseChanges calls every method of every capability, found by reflection: a
// new one that nobody measures fails here.
func TestEveryCallOfTheStoreIsMeasuredAndNothingElseChanges(t *testing.T) {
	m := start(t)
	want := &plugin.FieldError{Field: "mail", Code: plugin.CodeTaken, Err: plugin.ErrExists}
	f := failing{want}
	b := m.Store(plugin.Backend{Persister: f, Authenticator: f, PasswordSetter: f, Updater: f, Lister: f, Maintainer: f, Statuses: f, SchemaChecker: f})
	calls := 0
	v := reflect.ValueOf(b)
	for i := range v.NumField() {
		field := v.Field(i)
		if field.Kind() != reflect.Interface {
			continue
		}
		for j := range field.Type().NumMethod() {
			name := field.Type().Method(j).Name
			method := field.MethodByName(name)
			args := []reflect.Value{reflect.ValueOf(t.Context())}
			for k := 1; k < method.Type().NumIn(); k++ {
				args = append(args, reflect.Zero(method.Type().In(k)))
			}
			series := "narthex_store_calls_total{operation=" + snake(name) + ",outcome=exists}"
			before := scrape(t, m)[series]
			out := method.Call(args)
			if err, _ := out[len(out)-1].Interface().(error); !errors.Is(err, plugin.ErrExists) || !errors.As(err, &want) {
				t.Errorf("%s returns %v", name, err)
			}
			if after := scrape(t, m)[series]; after != before+1 {
				t.Errorf("%s was counted %v times", name, after-before)
			}
			calls++
		}
	}
	if calls != reflect.TypeFor[failing]().NumMethod() {
		t.Errorf("%d calls", calls)
	}
	if b := m.Store(plugin.Backend{Persister: f}); b.Authenticator != nil || b.Updater != nil || b.Lister != nil || b.Maintainer != nil || b.Statuses != nil || b.PasswordSetter != nil {
		t.Error("the measured store can do more than the store")
	}
}

var capital = regexp.MustCompile(`\B[A-Z]`)

// snake returns "set_password" for "SetPassword".
func snake(name string) string {
	return strings.ToLower(capital.ReplaceAllString(name, "_$0"))
}

func TestTheStoreIsToldWhichRequestACallBelongsTo(t *testing.T) {
	m, err := telemetry.New(t.Context(), telemetry.Options{Log: slog.New(slog.DiscardHandler), RequestID: func(context.Context) string { return "abc123" }})
	if err != nil {
		t.Fatal(err)
	}
	var told string
	b := m.Store(plugin.Backend{Persister: failing{nil}, Authenticator: asked(func(ctx context.Context) { told = plugin.RequestOf(ctx) })})
	if _, err := b.Authenticator.Authenticate(t.Context(), plugin.Key{}, plugin.Secret{}); err != nil || told != "abc123" {
		t.Errorf("the store was told %q, %v", told, err)
	}
}

// asked looks at the context of a call.
type asked func(context.Context)

func (a asked) Authenticate(ctx context.Context, _ plugin.Key, _ plugin.Secret) (plugin.Account, error) {
	a(ctx)
	return plugin.Account{}, nil
}

func TestLinesOfTheLogHaveTheirRequest(t *testing.T) {
	type key struct{}
	var out bytes.Buffer
	log := slog.New(telemetry.LogHandler(slog.NewJSONHandler(&out, nil), func(ctx context.Context) string {
		id, _ := ctx.Value(key{}).(string)
		return id
	}))
	inside := context.WithValue(t.Context(), key{}, "abc")
	log.With("a", 1).InfoContext(inside, "within")
	log.InfoContext(inside, "said already", "request", "own")
	log.Info("outside")
	var got []any
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil || strings.Count(line, `"request"`) > 1 {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, m["request"])
	}
	if want := []any{"abc", "own", nil}; !reflect.DeepEqual(got, want) {
		t.Errorf("requests %v, want %v", got, want)
	}
}
