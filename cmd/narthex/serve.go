package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/adminapi"
	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/login"
	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/telemetry"
	"github.com/narthex/narthex/internal/web"
	"github.com/narthex/narthex/plugin"
)

// The stop, from the signal to the end: readiness is off at once, so that a load balancer looks elsewhere; requests in
// flight get drainLimit; the persister stops last, because they need it.
const drainLimit = 20 * time.Second

func newServe() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the pages and the API (what narthex does without a command)",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), cmd.ErrOrStderr()) },
	}
}

// serve runs the sidecar until ctx is done.
func serve(ctx context.Context, errOut io.Writer) error {
	settings, definition, err := readConfiguration(os.Environ())
	if err != nil {
		return failed(err)
	}
	log := newLogger(errOut, settings)
	s := &sidecar{settings: settings, definition: definition, log: log}
	if err := errors.Join(s.start(ctx), s.run(ctx)); err != nil {
		return &exitError{code: exitUnknown, err: err}
	}
	return nil
}

// sidecar is the running program.
type sidecar struct {
	settings   *config.Settings
	definition *flow.Definition
	log        *slog.Logger
	theme      fs.FS

	public, admin net.Listener
	publicURL     *url.URL
	telemetry     *telemetry.Telemetry
	parts         *parts
	store         plugin.Backend
	flows         *flow.Dispatcher
	queue         *message.Queue
	adminAPI      *adminapi.API
	pages         http.Handler
	// undo closes what was opened, the last first.
	undo []func() error
}

func (s *sidecar) opened(undo func() error) { s.undo = append(s.undo, undo) }

// start opens everything, in the order in which one part needs another. On an error nothing stays open.
func (s *sidecar) start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := s.openTelemetry(ctx); err != nil {
		return err
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	if err := s.openTheme(); err != nil {
		return err
	}
	if s.parts, err = openParts(ctx, s.settings, s.definition.Identifiers, s.log); err != nil {
		return err
	}
	s.opened(s.parts.Close)
	s.store = s.telemetry.Store(s.parts.store.Backend())
	if err := s.openQueue(); err != nil {
		return err
	}
	s.flows, err = flow.New(ctx, flow.Config{
		Definition: s.definition, Enabled: s.enabled(), Store: s.store, Rows: s.parts.state, Keys: s.parts.keys,
		Rules: s.parts.rules, Messenger: messenger{s.queue}, LoginURL: s.settings.LoginURL, Theme: s.theme, Log: s.log,
		Observer: s.telemetry,
	})
	if err != nil {
		return inTheme(s.settings.ThemeDir, err)
	}
	s.telemetry.Mails(s.aboutMails)
	return s.openFaces()
}

func (s *sidecar) listen(ctx context.Context) (err error) {
	var c net.ListenConfig
	if s.public, err = c.Listen(ctx, "tcp", s.settings.Listen); err != nil {
		return fmt.Errorf("NARTHEX_LISTEN: %w; stop what listens there, or choose another address", err)
	}
	s.opened(s.public.Close)
	if s.admin, err = c.Listen(ctx, "tcp", s.settings.AdminListen); err != nil {
		return fmt.Errorf("NARTHEX_ADMIN_LISTEN: %w; stop what listens there, or choose another address", err)
	}
	s.opened(s.admin.Close)
	if s.publicURL = s.settings.PublicURL; s.publicURL == nil {
		s.publicURL = &url.URL{Scheme: "http", Host: s.public.Addr().String()}
	}
	return nil
}

// enabled: without a flows file the built-in flow is for this machine only.
func (s *sidecar) enabled() bool {
	if s.settings.Flows != "" || config.Loopback(s.publicURL.Hostname()) {
		return true
	}
	s.log.Warn("registration is closed: set NARTHEX_FLOWS to say how people register here", "public_url", s.publicURL.String())
	return false
}

func (s *sidecar) openFaces() error {
	pages, err := web.New(web.Options{Flow: s.flows, PublicURL: s.publicURL, Log: s.log, Theme: s.theme})
	if err != nil {
		return inTheme(s.settings.ThemeDir, err)
	}
	s.pages = httpapi.New(httpapi.Options{
		Flow: s.flows, Login: s.login(), PublicURL: s.publicURL, Log: s.log, Pages: pages,
		TrustedProxies: s.settings.TrustedProxies, Watch: s.telemetry.Watch("public", true),
	})
	s.adminAPI, err = adminapi.New(adminapi.Options{
		Listen: s.settings.AdminListen, Mailbox: s.mailbox(), Log: s.log,
		Checks: s.checks(), Metrics: s.telemetry.Handler(), Watch: s.telemetry.Watch("admin", false),
	})
	return err
}

func (s *sidecar) login() *login.Login {
	store := s.store
	return login.New(login.Config{
		Rules: s.parts.rules, Store: store.Authenticator, Lookup: store.Lookup, Counters: s.parts.state, Keys: s.parts.keys,
		Limits: s.definition.Limits, Log: s.log,
	})
}

func (s *sidecar) close() error {
	var errs []error
	for len(s.undo) > 0 {
		last := len(s.undo) - 1
		if err := s.undo[last](); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
		s.undo = s.undo[:last]
	}
	return errors.Join(errs...)
}
