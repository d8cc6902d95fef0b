package telemetry_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/telemetry"
	"github.com/narthex/narthex/plugin"
)

// receiver is a collector of traces (OTLP over HTTP).
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracepb.Span
	about []string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil || req.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", req.URL.Path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, resource := range request.GetResourceSpans() {
			r.about = append(r.about, resource.GetResource().String())
			for _, scope := range resource.GetScopeSpans() {
				r.spans = append(r.spans, scope.GetSpans()...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// traceTo switches traces on; the library reads the process's variables itself.
func traceTo(t *testing.T, endpoint string) *telemetry.Telemetry {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
	return start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint)
}

func TestATraceShowsARequestItsTripAndItsCallsOfTheStore(t *testing.T) {
	r := newReceiver(t)
	m := traceTo(t, r.URL)
	store := m.Store(plugin.Backend{Persister: failing{plugin.ErrUnavailable}})
	ctx, endRequest := m.Watch("public", true)(t.Context(), "POST")
	ctx, endTrip := m.Trip(ctx, flow.ActionAnswer)
	_, _ = store.Lookup(ctx, plugin.Key{Canonical: "1:canary@example.org", Value: "canary@example.org"})
	endTrip("standard", "persist", &flow.Problem{Code: flow.CodeUnavailable})
	endRequest("/v1/registration/steps/:step", 503)
	_ = store.Ping(t.Context()) // nobody's request
	_, endProbe := m.Watch("admin", false)(t.Context(), "GET")
	endProbe("/readyz", 200)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	names := map[string]*tracepb.Span{}
	for _, s := range r.spans {
		names[s.GetName()] = s
		if strings.Contains(s.String(), "canary") {
			t.Errorf("a span tells too much: %v", s)
		}
	}
	request, trip, lookup := names["POST /v1/registration/steps/:step"], names["trip answer"], names["store lookup"]
	if len(r.spans) != 3 || request == nil || trip == nil || lookup == nil {
		t.Fatalf("spans %v", r.spans)
	}
	if string(trip.GetParentSpanId()) != string(request.GetSpanId()) || string(lookup.GetParentSpanId()) != string(trip.GetSpanId()) || len(request.GetParentSpanId()) != 0 {
		t.Error("they are not below one another")
	}
	for s, words := range map[*tracepb.Span][]string{request: {"http.route", "503", "STATUS_CODE_ERROR"}, trip: {"standard", "persist", "unavailable"}, lookup: {"unavailable"}} {
		for _, w := range words {
			if !strings.Contains(s.String(), w) {
				t.Errorf("%s lacks %q: %v", s.GetName(), w, s)
			}
		}
	}
	if len(r.about) == 0 || !strings.Contains(r.about[0], `"narthex"`) || !strings.Contains(r.about[0], "v1.2.3") {
		t.Errorf("about itself it says %v", r.about)
	}
}

func TestACollectorThatHangsHoldsUpNoStop(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	defer close(hang)
	m := traceTo(t, server.URL)
	_, end := m.Watch("public", true)(t.Context(), "GET")
	end("/register", 200)
	began := time.Now()
	if err := m.Close(); err == nil {
		t.Error("the stop says that all traces were sent")
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

func TestTracesAreOnOnlyWhereTheyAreAskedFor(t *testing.T) {
	r := newReceiver(t)
	for name, environ := range map[string][]string{
		"nothing is said":   nil,
		"the SDK is off":    {"OTEL_SDK_DISABLED=true", "OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL},
		"no exporter":       {"OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL},
		"an empty endpoint": {"OTEL_EXPORTER_OTLP_ENDPOINT="},
	} {
		m := start(t, environ...)
		_, end := m.Watch("public", true)(t.Context(), "GET")
		end("/register", 200)
		if err := m.Close(); err != nil || len(r.spans) != 0 {
			t.Errorf("when %s: %v, %v", name, err, r.spans)
		}
	}
	for name, environ := range map[string][]string{
		"no URL":           {"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318"},
		"another protocol": {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + r.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
	} {
		if _, err := telemetry.New(t.Context(), telemetry.Options{Environ: environ, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkTracesOff(b *testing.B) {
	m, err := telemetry.New(b.Context(), telemetry.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	watch := m.Watch("public", true)
	for b.Loop() {
		_, end := watch(b.Context(), "GET")
		end("/register", 200)
	}
}
