package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what telemetry needs.
type Options struct {
	// Version of this program.
	Version string
	// Environ are the process's variables; those of OpenTelemetry decide about traces.
	Environ []string
	// RequestID returns the id of the request that a context belongs to, or ""; the store is told it for its log.
	RequestID func(context.Context) string
	Log       *slog.Logger
}

// Telemetry measures. Its methods may be called by many at once. It is made by New.
type Telemetry struct {
	registry  *prometheus.Registry
	figures   figures
	requestID func(context.Context) string
	traces    *traces // nil: off
}

// figures are what Prometheus gets, beside what is looked up for it at that time.
type figures struct {
	requests   *prometheus.CounterVec
	answering  *prometheus.HistogramVec
	steps      *prometheus.CounterVec
	stepping   *prometheus.HistogramVec
	started    *prometheus.CounterVec
	completed  *prometheus.CounterVec
	storeCalls *prometheus.CounterVec
	storing    *prometheus.HistogramVec
}

// buckets reach from an answer out of memory to the longest request, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}

// New makes telemetry. Traces are on where the environment names a collector for them; one that cannot be reached costs
// traces and nothing else.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{registry: prometheus.NewRegistry(), requestID: o.RequestID}
	if t.requestID == nil {
		t.requestID = func(context.Context) string { return "" }
	}
	if err := t.switchTracesOn(ctx, o); err != nil {
		return nil, err
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		t.registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
		t.registry.MustRegister(v)
		return v
	}
	t.figures = figures{
		requests:   counter("narthex_http_requests_total", "HTTP requests by listener, method, route and class of status.", "listener", "method", "route", "class"),
		answering:  histogram("narthex_http_request_seconds", "How long answers took.", "listener", "route"),
		steps:      counter("narthex_steps_total", "Trips of registrations by flow, kind of step, action and outcome.", "flow", "kind", "action", "outcome"),
		stepping:   histogram("narthex_step_seconds", "How long trips took, by kind of step and action.", "kind", "action"),
		started:    counter("narthex_registrations_started_total", "Registrations that were begun.", "flow"),
		completed:  counter("narthex_registrations_completed_total", "Registrations that became accounts.", "flow"),
		storeCalls: counter("narthex_store_calls_total", "Calls of the store by operation and outcome.", "operation", "outcome"),
		storing:    histogram("narthex_store_call_seconds", "How long calls of the store took.", "operation"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "narthex_build_info", Help: "1; what runs stands in the labels.",
		ConstLabels: prometheus.Labels{"version": o.Version, "go_version": runtime.Version()},
	})
	build.Set(1)
	t.registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return t, nil
}

// Handler answers Prometheus.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Watch is what guard.Options wants to know about the requests of a listener. Only where traced is set do traces begin.
func (t *Telemetry) Watch(listener string, traced bool) func(ctx context.Context, method string) (context.Context, func(route string, status int)) {
	return func(ctx context.Context, method string) (context.Context, func(string, int)) {
		began := time.Now()
		endSpan := func(string, int) {}
		if traced && t.traces != nil {
			ctx, endSpan = t.traces.request(ctx, method)
		}
		return ctx, func(route string, status int) {
			t.figures.requests.WithLabelValues(listener, method, route, class(status)).Inc()
			t.figures.answering.WithLabelValues(listener, route).Observe(time.Since(began).Seconds())
			endSpan(route, status)
		}
	}
}

// class is a status without its last digits.
func class(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return string(rune('0'+status/100)) + "xx"
}
