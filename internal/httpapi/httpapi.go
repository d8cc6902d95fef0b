package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/httpapi/openapi"
	"github.com/narthex/narthex/plugin"
)

// Login tells whose account an identifier and a password open. Every failure of the person's is the same
// *flow.Problem with CodeLoginFailed.
type Login interface {
	Login(ctx context.Context, identifier, password string) (plugin.Account, error)
}

// Pages adds routes for people to the listener.
type Pages interface {
	Routes(gin.IRouter)
	// Refuse answers a request outside the API that the guard refused.
	Refuse(*gin.Context, guard.Refusal)
}

// Options are what the public listener needs. Pages may be nil.
type Options struct {
	Flow      flow.API
	Login     Login
	PublicURL *url.URL
	Log       *slog.Logger
	Pages     Pages
	// TrustedProxies are the networks of the peers whose forwarded headers are believed.
	TrustedProxies []netip.Prefix
	// Watch is told of every request; see guard.Options.
	Watch func(ctx context.Context, method string) (_ context.Context, end func(route string, status int))
}

// New returns the handler of the public listener, for guard.NewServer.
func New(o Options) http.Handler {
	installStrictCodec()
	a := &api{
		flow: o.Flow, login: o.Login, log: o.Log,
		cookie: guard.NewCookie(o.PublicURL), origin: guard.NewOrigin(o.PublicURL),
	}
	engine := guard.NewEngine(guard.Options{
		Log:     o.Log,
		HTTPS:   o.PublicURL.Scheme == "https",
		Clients: true, TrustedProxies: o.TrustedProxies, Watch: o.Watch,
		Refuse: func(c *gin.Context, r guard.Refusal) {
			if o.Pages != nil && !strings.HasPrefix(c.Request.URL.Path, "/v1/") {
				o.Pages.Refuse(c, r)
				return
			}
			a.refuse(c, r)
		},
	})
	strict := openapi.NewStrictHandlerWithOptions(a, nil, openapi.StrictGinServerOptions{
		RequestErrorHandlerFunc:  func(c *gin.Context, err error) { a.fail(c, undecodable(err)) },
		HandlerErrorFunc:         a.fail,
		ResponseErrorHandlerFunc: a.fail,
	})
	openapi.RegisterHandlersWithOptions(engine.Group("", a.readBody), strict, openapi.GinServerOptions{
		ErrorHandler: func(c *gin.Context, err error, _ int) { a.fail(c, malformed("", detailPath, err)) },
	})
	if o.Pages != nil {
		o.Pages.Routes(engine)
	}
	return engine
}

// api implements the generated server interface.
type api struct {
	flow   flow.API
	login  Login
	log    *slog.Logger
	cookie guard.Cookie
	origin guard.Origin
}

var _ openapi.StrictServerInterface = (*api)(nil)

// refuse answers what the guard did not let through.
func (a *api) refuse(c *gin.Context, r guard.Refusal) {
	code := codeInternal
	switch r {
	case guard.NotFound, guard.WrongHost:
		code = codeUnknown
	case guard.MethodNotAllowed:
		code = codeMethodNotAllowed
	case guard.Panicked: // logged by the guard
	}
	a.write(c, &flow.Problem{Code: code}, "")
}
