package main

import (
	"context"
	"os"
	"time"

	"github.com/narthex/narthex/internal/adminapi"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/telemetry"
)

// openTelemetry comes first: what is opened later is measured, and the last traces are sent when all else is closed.
func (s *sidecar) openTelemetry(ctx context.Context) (err error) {
	s.telemetry, err = telemetry.New(ctx, telemetry.Options{Version: version(), Environ: os.Environ(), RequestID: guard.RequestID, Log: s.log})
	if err != nil {
		return err
	}
	s.opened(func() error {
		if err := s.telemetry.Close(); err != nil {
			s.log.Warn("a stop without the last traces", "error", err)
		}
		return nil
	})
	return nil
}

// aboutMails looks at the queue and into the outbox.
func (s *sidecar) aboutMails(ctx context.Context) telemetry.Mails {
	c := s.queue.Counts()
	m := telemetry.Mails{Sent: c.Sent, Expired: c.Expired, Refused: c.Refused, Retried: c.Retried, Down: s.queue.Trouble() != nil, Waiting: -1}
	if n, first, err := s.parts.state.Backlog(ctx); err == nil {
		m.Waiting = n
		if n > 0 {
			m.Oldest = max(0, time.Since(message.ComposedAt(first)))
		}
	}
	return m
}

// checks decide readiness. Mails are kept while none can be sent: that alone is no reason to send people elsewhere, where
// the same mail server is missing.
func (s *sidecar) checks() []adminapi.Check {
	return []adminapi.Check{
		{Name: "state", Run: s.parts.state.Ping},
		{Name: "persister", Run: s.parts.store.Ping},
		{Name: "mail", Run: func(context.Context) error { return s.queue.Trouble() }, Spared: true},
	}
}
