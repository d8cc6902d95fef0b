package flow

import (
	"context"
	"errors"
	"log/slog"
)

// auditMessage marks the lines of the audit trail: one for every trip that is more than a look, whatever came of it.
const auditMessage = "audit"

// audit writes one line about a trip that has ended: who (by keyed hashes), where, what, and what came of it.
func (d *Dispatcher) audit(ctx context.Context, w *watched, r *Registration, err error) {
	if w.action == ActionShow || !d.config.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := []slog.Attr{slog.String("event", "registration."+string(w.action)), slog.String("outcome", outcome(err)),
		slog.String("flow", w.flow), slog.String("step", w.step)}
	if err == nil && w.action != ActionAbort {
		attrs = append(attrs, slog.String("state", string(r.Phase)))
		if r.Step != nil {
			attrs = append(attrs, slog.String("next", r.Step.Name))
		}
	}
	if w.trip != nil {
		attrs = append(attrs, slog.String("registration", w.trip.row.Ref))
		if subject := d.subject(w.trip); subject != "" {
			w.subject = subject
		}
	}
	if w.subject != "" {
		attrs = append(attrs, slog.String("subject", w.subject))
	}
	if client := ClientFrom(ctx); client.IsValid() {
		if key, err := d.config.Keys.LogKey(client.String()); err == nil {
			attrs = append(attrs, slog.String("client", key))
		}
	}
	d.config.Log.LogAttrs(ctx, slog.LevelInfo, auditMessage, attrs...)
}

// subject is the log key of the registration's first alias; "" before there is one.
func (d *Dispatcher) subject(tr *trip) string {
	for _, s := range tr.flow.Steps {
		for _, i := range s.Settings.supplies() {
			v, ok := tr.record.Values[i.Name]
			if !ok || !i.Alias {
				continue
			}
			id, err := d.runtime.identify(i, v)
			if err != nil {
				continue
			}
			if key, err := d.config.Keys.LogKey(id.Canonical); err == nil {
				return key
			}
		}
	}
	return ""
}

// outcome names how a trip ended: ok, the code of a problem, or error.
func outcome(err error) string {
	var problem *Problem
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &problem):
		return string(problem.Code)
	default:
		return "error"
	}
}
