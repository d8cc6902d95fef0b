package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// logHandler adds to every line whose context has one the id of its request and of its trace.
type logHandler struct {
	slog.Handler
	requestID func(context.Context) string
}

// LogHandler puts the request's id into every line that is written with its context, and the trace's where there is one.
// requestID returns "" outside requests.
func LogHandler(h slog.Handler, requestID func(context.Context) string) slog.Handler {
	return logHandler{h, requestID}
}

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	id := h.requestID(ctx)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "request" {
			id = "" // it is there
		}
		return id != ""
	})
	if id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs), h.requestID}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name), h.requestID}
}
