package adminapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/httpapi/guard"
)

// Check asks a part of the sidecar whether it can do its work. Run returns soon after its context is done.
type Check struct {
	Name string
	Run  func(context.Context) error
	// Spared: requests are answered without this part. While it is ill the sidecar is degraded, and ready.
	Spared bool
}

// Options are what the admin listener needs.
type Options struct {
	// Listen is the address as it was configured. Its host is answered to.
	Listen string
	// Hosts are further names that the listener is reached by.
	Hosts []string
	// Checks decide readiness.
	Checks []Check
	// Mailbox shows the mails of a development machine; nil anywhere else, and then there is no such page.
	Mailbox Mailbox
	// Metrics answers Prometheus; nil: there are none.
	Metrics http.Handler
	// Watch is told of every request; see guard.Options.
	Watch func(ctx context.Context, method string) (_ context.Context, end func(route string, status int))
	Log   *slog.Logger
}

// API is the handler of the admin listener, for guard.NewServer.
type API struct {
	engine   *gin.Engine
	checks   []Check
	log      *slog.Logger
	draining atomic.Bool

	mu  sync.Mutex
	ill map[string]bool // what the last look found, so that the log tells changes only
}

// New returns the handler.
func New(o Options) (*API, error) {
	a := &API{checks: o.Checks, log: o.Log, ill: map[string]bool{}}
	hosts := allowedHosts(o.Listen, o.Hosts)
	if o.Mailbox == nil && beyondLoopback(o.Listen) {
		hosts = nil // probes and Prometheus use names of containers and services; there is no mail to steal here
	}
	a.engine = guard.NewEngine(guard.Options{
		Log: o.Log, Hosts: hosts, Refuse: refuse, Watch: o.Watch,
		Quiet: []string{"/healthz", "/readyz", "/metrics"},
	})
	get := func(path string, h gin.HandlerFunc) { a.engine.GET(path, h); a.engine.HEAD(path, h) }
	get("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, health{Status: "alive"}) })
	get("/readyz", a.ready)
	if o.Metrics != nil {
		get("/metrics", gin.WrapH(o.Metrics))
	}
	if o.Mailbox != nil {
		pages, err := newMailPages(o.Mailbox, o.Log)
		if err != nil {
			return nil, err
		}
		get("/dev/mail", pages.list)
		get("/dev/mail/:id", pages.show)
		get(stylePath, pages.style)
	}
	return a, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.engine.ServeHTTP(w, r) }

// Drain makes readiness false for good, so that no new work is sent here while the rest is finished.
func (a *API) Drain() { a.draining.Store(true) }

// refusal is what is said to a request that the guard refused.
type refusal struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
}

func refuse(c *gin.Context, r guard.Refusal) {
	status := http.StatusInternalServerError
	switch r {
	case guard.NotFound:
		status = http.StatusNotFound
	case guard.MethodNotAllowed:
		status = http.StatusMethodNotAllowed
	case guard.WrongHost:
		status = http.StatusMisdirectedRequest
	case guard.Panicked:
	}
	c.JSON(status, refusal{status, http.StatusText(status)})
}
