package guard

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
)

type requestIDKey struct{}

// RequestID returns the id that the guard gave the request, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// identify gives the request an id of our own; what a client calls it is not looked at.
func identify(c *gin.Context) {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:])
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestIDKey{}, id))
	c.Header("X-Request-Id", id)
}

// limitTime ends the request's context in time; handlers answer what they then get as "unavailable".
func limitTime(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestTimeout)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// accessLog writes one line per request. The route's template stands for the path: paths, queries, headers and
// addresses may hold what must not be kept.
func accessLog(o Options) gin.HandlerFunc {
	return func(c *gin.Context) {
		start, end, finished := time.Now(), func(string, int) {}, false
		if o.Watch != nil {
			var ctx context.Context
			ctx, end = o.Watch(c.Request.Context(), knownMethod(c.Request.Method))
			c.Request = c.Request.WithContext(ctx)
		}
		defer func() {
			route, level, status := c.FullPath(), slog.LevelInfo, c.Writer.Status()
			if slices.Contains(o.Quiet, route) {
				level = slog.LevelDebug
			}
			if route == "" {
				route = "none"
			}
			if !finished {
				status = http.StatusInternalServerError // a panic broke the answer off, whatever it began with
			}
			o.Log.LogAttrs(c.Request.Context(), level, "request",
				slog.String("request", RequestID(c.Request.Context())),
				slog.String("method", knownMethod(c.Request.Method)),
				slog.String("route", route),
				slog.Int("status", status),
				slog.Duration("took", time.Since(start)))
			end(route, status)
		}()
		c.Next()
		finished = true
	}
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return m
	}
	return "other"
}

// recoverPanics turns a handler's panic into a neutral answer to that one request. What was thrown may hold what a
// person typed, so only run-time errors are logged with their text.
func recoverPanics(o Options) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			thrown := recover()
			if thrown == nil {
				return
			}
			if err, ok := thrown.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(thrown)
			}
			text := "withheld"
			if err, ok := thrown.(runtime.Error); ok {
				text = err.Error()
			}
			o.Log.ErrorContext(c.Request.Context(), "a handler panicked", "request", RequestID(c.Request.Context()),
				"route", c.FullPath(), "panic", text, "stack", string(debug.Stack()))
			if c.Writer.Written() {
				panic(http.ErrAbortHandler) // half an answer: the client must notice
			}
			c.Abort()
			o.Refuse(c, Panicked)
		}()
		c.Next()
	}
}
