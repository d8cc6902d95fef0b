package main

import (
	"context"
	"log/slog"
	"os"
)

// auditCommand writes one line about what somebody did with a command into the audit trail: the event, what came of it,
// the number of the system user who did it, and what it was done to.
func auditCommand(ctx context.Context, trail *slog.Logger, event string, err error, object ...slog.Attr) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	attrs := append([]slog.Attr{slog.String("event", event), slog.String("outcome", outcome), slog.Int("uid", os.Getuid())}, object...)
	trail.LogAttrs(ctx, slog.LevelInfo, "audit", attrs...)
}
