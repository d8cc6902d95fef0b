package telemetry

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

var _ flow.Observer = (*Telemetry)(nil)

// Trip implements flow.Observer.
func (t *Telemetry) Trip(ctx context.Context, a flow.Action) (context.Context, func(flowName, kind string, err error)) {
	began := time.Now()
	endSpan := func(string, string, string) {}
	if t.traces != nil {
		ctx, endSpan = t.traces.trip(ctx, string(a))
	}
	return ctx, func(flowName, kind string, err error) {
		flowName, kind = cmp.Or(flowName, "none"), cmp.Or(kind, "none")
		outcome := tripOutcome(err)
		t.figures.steps.WithLabelValues(flowName, kind, string(a), outcome).Inc()
		t.figures.stepping.WithLabelValues(kind, string(a)).Observe(time.Since(began).Seconds())
		if a == flow.ActionStart && err == nil {
			t.figures.started.WithLabelValues(flowName).Inc()
		}
		endSpan(flowName, kind, outcome)
	}
}

// Completed implements flow.Observer.
func (t *Telemetry) Completed(flowName string) { t.figures.completed.WithLabelValues(flowName).Inc() }

// tripOutcome is "ok", the problem's code, or "error".
func tripOutcome(err error) string {
	var p *flow.Problem
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &p):
		return string(p.Code)
	default:
		return "error"
	}
}
