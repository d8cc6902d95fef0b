package plugin

import (
	"context"
	"log/slog"
	"strings"

	"google.golang.org/grpc/metadata"
)

// requestHeader carries the request's id beside a call. It is for logs only: no answer depends on it.
const requestHeader = "narthex-request"

type requestKey struct{}

// WithRequest says which request the calls belong to that are made with the context; it is no secret. An id has up to 64
// letters, digits and hyphens; another one is left out.
func WithRequest(ctx context.Context, id string) context.Context {
	if !plainID(id) {
		return ctx
	}
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestOf returns the id of the host's request that a call belongs to, or "". The lines that a persister writes with
// [Logger] and the call's context have it already.
func RequestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

func plainID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

// sendRequest puts the request's id beside the call.
func sendRequest(ctx context.Context) context.Context {
	if id := RequestOf(ctx); id != "" {
		return metadata.AppendToOutgoingContext(ctx, requestHeader, id)
	}
	return ctx
}

// receiveRequest takes the request's id from beside the call.
func receiveRequest(ctx context.Context) context.Context {
	if ids := metadata.ValueFromIncomingContext(ctx, requestHeader); len(ids) == 1 {
		return WithRequest(ctx, ids[0])
	}
	return ctx
}

// requestHandler adds the request's id to lines that are written with a call's context.
type requestHandler struct{ slog.Handler }

func withRequests(h slog.Handler) slog.Handler {
	if _, already := h.(requestHandler); already {
		return h
	}
	return requestHandler{h}
}

// Handle implements slog.Handler.
func (h requestHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestOf(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}
