package login

import (
	"context"
	"errors"
	"log/slog"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// audit writes one line about a login into the audit trail: who (by keyed hashes) and what came of it.
func (l *Login) audit(ctx context.Context, key plugin.Key, account plugin.Account, err error) {
	if !l.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := []slog.Attr{slog.String("event", "login"), slog.String("outcome", outcome(err))}
	if subject, err := l.Keys.LogKey(key.Canonical); err == nil && key != nobody {
		attrs = append(attrs, slog.String("subject", subject))
	}
	if account.ID != "" {
		attrs = append(attrs, slog.String("account", string(account.ID)))
	}
	if client := flow.ClientFrom(ctx); client.IsValid() {
		if masked, err := l.Keys.LogKey(client.String()); err == nil {
			attrs = append(attrs, slog.String("client", masked))
		}
	}
	l.Log.LogAttrs(ctx, slog.LevelInfo, "audit", attrs...)
}

// outcome names how a login ended: ok, the code of a problem, or error.
func outcome(err error) string {
	var problem *flow.Problem
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &problem):
		return string(problem.Code)
	default:
		return "error"
	}
}
