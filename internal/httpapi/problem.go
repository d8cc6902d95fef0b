package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/httpapi/openapi"
)

// Codes of HTTP's own; the engine does not know them.
const (
	codeCrossOrigin      flow.Code = "cross_origin"
	codeUnknown          flow.Code = "unknown"
	codeMethodNotAllowed flow.Code = "method_not_allowed"
	codeTooLarge         flow.Code = "too_large"
	codeUnsupportedMedia flow.Code = "unsupported_media_type"
	codeInternal         flow.Code = "internal"
)

// statuses is the one table of codes and their HTTP status. The texts are in texts.go.
var statuses = map[flow.Code]int{
	flow.CodeMalformed:        http.StatusBadRequest,
	flow.CodeLoginFailed:      http.StatusUnauthorized,
	flow.CodeDisabled:         http.StatusForbidden,
	codeCrossOrigin:           http.StatusForbidden,
	codeUnknown:               http.StatusNotFound,
	flow.CodeUnknownFlow:      http.StatusNotFound,
	codeMethodNotAllowed:      http.StatusMethodNotAllowed,
	flow.CodeUnexpectedStep:   http.StatusConflict,
	flow.CodeIdentifierTaken:  http.StatusConflict,
	flow.CodeRegistrationGone: http.StatusGone,
	flow.CodeTooManyAttempts:  http.StatusGone,
	codeTooLarge:              http.StatusRequestEntityTooLarge,
	codeUnsupportedMedia:      http.StatusUnsupportedMediaType,
	flow.CodeInvalidInput:     http.StatusUnprocessableEntity,
	flow.CodeWrongCode:        http.StatusUnprocessableEntity,
	flow.CodeRateLimited:      http.StatusTooManyRequests,
	codeInternal:              http.StatusInternalServerError,
	flow.CodeUnavailable:      http.StatusServiceUnavailable,
}

// defaultRetry is told where the engine does not say how long to wait.
const defaultRetry = 5 * time.Second

// AsProblem returns what the client may know of err: a *flow.Problem as it is, a request that ran out of time as
// "unavailable", and of anything else nothing. The status goes with the code.
func AsProblem(err error) (*flow.Problem, int) {
	var p *flow.Problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p = &flow.Problem{Code: flow.CodeUnavailable, Cause: err}
	default:
		p = &flow.Problem{Code: codeInternal, Cause: err}
	}
	status, known := statuses[p.Code]
	if !known {
		return &flow.Problem{Code: codeInternal, Cause: err}, http.StatusInternalServerError
	}
	if waits(p.Code) && p.RetryAfter <= 0 {
		withRetry := *p
		withRetry.RetryAfter = defaultRetry
		p = &withRetry
	}
	return p, status
}

func waits(c flow.Code) bool { return c == flow.CodeRateLimited || c == flow.CodeUnavailable }

// RetryAfterSeconds is the value of the Retry-After header for a problem; never too early.
func RetryAfterSeconds(p *flow.Problem) int {
	return max(1, int((p.RetryAfter+time.Second-1)/time.Second))
}

// detailed is a problem that says where in the request it lies.
type detailed struct {
	*flow.Problem
	pointer string // RFC 6901; "" for the whole request
	detail  detail
}

func (d *detailed) Unwrap() error { return d.Problem }

func malformed(pointer string, d detail, cause error) error {
	return &detailed{&flow.Problem{Code: flow.CodeMalformed, Cause: cause}, pointer, d}
}

// Report logs what the client is not told of err, with the request's id, and returns what it is told.
func Report(c *gin.Context, log *slog.Logger, err error) (*flow.Problem, int) {
	p, status := AsProblem(err)
	ctx := c.Request.Context()
	switch status {
	case http.StatusInternalServerError:
		log.ErrorContext(ctx, "a request failed", "request", guard.RequestID(ctx), "route", c.FullPath(), "error", err)
	case http.StatusServiceUnavailable:
		log.WarnContext(ctx, "a request found something unavailable", "request", guard.RequestID(ctx), "route", c.FullPath(), "error", p.Cause)
	}
	return p, status
}

// fail answers with the problem document of err.
func (a *api) fail(c *gin.Context, err error) {
	p, _ := Report(c, a.log, err)
	text := ""
	var d *detailed
	if errors.As(err, &d) {
		text = textsFor(c.Request).detail(d.detail, d.pointer)
	}
	a.write(c, p, text)
}

func (a *api) write(c *gin.Context, p *flow.Problem, detail string) {
	if c.Writer.Written() {
		return // an answer has begun; there cannot be a second one
	}
	texts := textsFor(c.Request)
	doc := openapi.Problem{
		Type:   "urn:narthex:problem:" + string(p.Code),
		Title:  texts.title(p.Code),
		Status: statuses[p.Code],
		Code:   openapi.ProblemCode(p.Code),
		Detail: detail,
	}
	for _, v := range p.Violations {
		doc.Violations = append(doc.Violations, openapi.Violation{Field: v.Field, Code: v.Code, Message: v.Message})
	}
	if p.Code == flow.CodeWrongCode {
		doc.AttemptsLeft = &p.AttemptsLeft
	}
	if waits(p.Code) {
		c.Header("Retry-After", strconv.Itoa(RetryAfterSeconds(p)))
	}
	body, err := json.Marshal(doc)
	if err != nil { // strings and numbers only
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Abort()
	c.Data(doc.Status, "application/problem+json", body)
}
