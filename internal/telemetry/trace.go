package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// closeLimit bounds how long a stop waits for the last traces to be sent.
const closeLimit = 3 * time.Second

// traces makes spans: one for a request, below it one for its trip, and below that one for each call of the store.
type traces struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// switchTracesOn looks at the variables of the OpenTelemetry specification ("OTLP Exporter Configuration").
func (t *Telemetry) switchTracesOn(ctx context.Context, o Options) error {
	wanted, err := tracesWanted(o.Environ)
	if err != nil || !wanted {
		return err
	}
	exporter, err := otlptracehttp.New(ctx) // it reads the same variables, and further ones
	if err != nil {
		return fmt.Errorf("switch traces on: %w", err)
	}
	// What the environment says (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) stands above what we say.
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "narthex"), attribute.String("service.version", o.Version)), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return fmt.Errorf("switch traces on: %w", err)
	}
	otel.SetErrorHandler(&complaints{log: o.Log}) // the library knows no other way; it would print to the standard error
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	t.traces = &traces{provider, provider.Tracer("github.com/narthex/narthex")}
	return nil
}

// tracesWanted tells whether a collector is named, and refuses what would silently lead to no traces.
func tracesWanted(environ []string) (bool, error) {
	set := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "OTEL_") {
			set[name] = strings.TrimSpace(value)
		}
	}
	if strings.EqualFold(set["OTEL_SDK_DISABLED"], "true") || set["OTEL_TRACES_EXPORTER"] == "none" {
		return false, nil
	}
	wanted := false
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if set[name] == "" {
			continue
		}
		if u, err := url.Parse(set[name]); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return false, fmt.Errorf("%s is not the URL of a collector: write it like http://collector.example.org:4318", name)
		}
		wanted = true
	}
	if !wanted {
		return false, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if p := set[name]; p != "" && p != "http/protobuf" {
			return false, fmt.Errorf("%s: traces are sent by http/protobuf only: remove it, and name the collector's port for that, mostly 4318", name)
		}
	}
	return true, nil
}

// Close sends what is left of the traces, for a few seconds at the most.
func (t *Telemetry) Close() error {
	if t.traces == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if err := t.traces.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// request begins a trace. Its name is whole when the route is known.
func (t *traces) request(ctx context.Context, method string) (context.Context, func(route string, status int)) {
	ctx, span := t.tracer.Start(ctx, method, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method)))
	return ctx, func(route string, status int) {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
		if status >= 500 {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

func (t *traces) trip(ctx context.Context, action string) (context.Context, func(flowName, kind, outcome string)) {
	ctx, span := t.child(ctx, "trip "+action)
	return ctx, func(flowName, kind, outcome string) {
		span.SetAttributes(attribute.String("narthex.flow", flowName), attribute.String("narthex.step.kind", kind), attribute.String("narthex.outcome", outcome))
		end(span, outcome)
	}
}

func (t *traces) storeCall(ctx context.Context, operation string) (context.Context, func(outcome string)) {
	ctx, span := t.child(ctx, "store "+operation)
	return ctx, func(outcome string) {
		span.SetAttributes(attribute.String("narthex.outcome", outcome))
		end(span, outcome)
	}
}

// child begins a span below another one; what nobody has asked for is not traced.
func (t *traces) child(ctx context.Context, name string) (context.Context, trace.Span) {
	if parent := trace.SpanFromContext(ctx); !parent.SpanContext().IsValid() {
		return ctx, parent
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindInternal))
}

func end(span trace.Span, outcome string) {
	switch outcome {
	case "error", "unavailable", "unknown_outcome":
		span.SetStatus(codes.Error, outcome)
	}
	span.End()
}

// complaints logs what the library complains about, and not again and again.
type complaints struct {
	log  *slog.Logger
	mu   sync.Mutex
	last time.Time
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.last) < time.Minute {
		return
	}
	c.last = time.Now()
	c.log.Warn("traces cannot be sent", "error", err)
}
