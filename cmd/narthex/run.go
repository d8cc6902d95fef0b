package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/plugin"
)

// run serves what start has opened until ctx is done or a listener fails, then stops in order.
func (s *sidecar) run(ctx context.Context) error {
	if s.pages == nil {
		return nil // start has failed and said why
	}
	public, admin := guard.NewServer(s.pages, s.log), guard.NewServer(s.adminAPI, s.log)
	broken := make(chan error, 2)
	go func() { broken <- public.Serve(s.public) }()
	go func() { broken <- admin.Serve(s.admin) }()
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	work := s.background(background)

	s.log.Info("ready", "address", s.public.Addr().String(), "public_url", s.publicURL.String(), "admin_url", "http://"+s.admin.Addr().String(), "flows", len(s.flows.Flows("").Flows), "persister", s.settings.Persister)

	var errs []error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case err := <-broken:
		errs = append(errs, err)
	}
	s.adminAPI.Drain()
	errs = append(errs, drain(public))
	stop()
	work.Wait()
	errs = append(errs, drain(admin), s.close())
	s.log.Info("stopped")
	return errors.Join(errs...)
}

// drain finishes the requests in flight, and breaks off those that take too long.
func drain(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// The pace of what goes on behind requests.
const (
	sweepPause    = time.Minute
	maintainPause = time.Minute
	backgroundCap = 20 * time.Second // for one round
)

// background starts the workers; they end when ctx is done.
func (s *sidecar) background(ctx context.Context) *sync.WaitGroup {
	var work sync.WaitGroup
	work.Go(func() { s.queue.Run(ctx) })
	work.Go(func() { flow.NewResolver(s.flows).Run(ctx) })
	work.Go(func() { s.every(ctx, sweepPause, "expired registrations cannot be removed", s.sweep) })
	if janitor := s.store.Maintainer; janitor != nil {
		work.Go(func() {
			s.every(ctx, maintainPause, "the store cannot be cleaned", func(ctx context.Context) error { return maintain(ctx, janitor) })
		})
	}
	return &work
}

// every does something now and after every pause.
func (s *sidecar) every(ctx context.Context, pause time.Duration, complaint string, do func(context.Context) error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		round, cancel := context.WithTimeout(ctx, backgroundCap)
		if err := do(round); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, complaint, "error", err)
		}
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *sidecar) sweep(ctx context.Context) error {
	n, err := s.parts.state.Sweep(ctx)
	if n > 0 {
		s.log.DebugContext(ctx, "expired registrations removed", "count", n)
	}
	return err
}

func maintain(ctx context.Context, janitor plugin.Maintainer) error {
	for {
		report, err := janitor.Maintain(ctx)
		if err != nil || !report.More {
			return err
		}
	}
}
