package guard

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"

	"github.com/gin-gonic/gin"
)

// Refusal says why a request got no further than the guard.
type Refusal int

// The refusals.
const (
	// NotFound: no route has this path.
	NotFound Refusal = iota + 1
	// MethodNotAllowed: the path has routes, but none for this method. The Allow header is set.
	MethodNotAllowed
	// Panicked: a handler panicked before it wrote anything.
	Panicked
	// WrongHost: the Host header names nobody that we are.
	WrongHost
)

// Options says how an engine is guarded.
type Options struct {
	Log *slog.Logger
	// HTTPS tells that browsers reach the listener over https.
	HTTPS bool
	// Hosts decides which Host headers are answered; nil answers all.
	Hosts func(host string) bool
	// Refuse answers a request that is not let through.
	Refuse func(*gin.Context, Refusal)
	// Clients makes the guard find out who the client of each request is; flow.ClientFrom then tells.
	Clients bool
	// TrustedProxies are the networks of the peers whose forwarded headers are believed.
	TrustedProxies []netip.Prefix
	// Watch is told of every request before anything is done for it; the context that it returns is the request's. end
	// is told how it was answered; route is the route's template, "none" where there is none; status is 500 when a panic
	// broke the answer off, whatever the client was told before. May be nil.
	Watch func(ctx context.Context, method string) (_ context.Context, end func(route string, status int))
	// Quiet lists routes that are logged at debug level only.
	Quiet []string
}

// NewEngine returns an engine without routes. Exactly the paths that are registered are served: nothing is cleaned,
// decoded or redirected, so that no other spelling of a path leads past a rule of a gateway in front of us.
// gin's own idea of who a client is, which believes everybody, is switched off.
func NewEngine(o Options) *gin.Engine {
	releaseMode()
	e := gin.New()
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	e.UseEscapedPath = true
	e.UnescapePathValues = false
	e.HandleMethodNotAllowed = true
	e.ForwardedByClientIP = false
	if err := e.SetTrustedProxies(nil); err != nil {
		panic("guard: an empty list of proxies is refused: " + err.Error())
	}
	e.Use(identify, accessLog(o), recoverPanics(o), hardeningHeaders(o.HTTPS), checkHost(o), lookAtClient(o), limitTime)
	e.NoRoute(func(c *gin.Context) { o.Refuse(c, NotFound) })
	e.NoMethod(func(c *gin.Context) { o.Refuse(c, MethodNotAllowed) })
	return e
}

// lookAtClient finds the client, or only tells that nobody's word about it is taken.
func lookAtClient(o Options) gin.HandlerFunc {
	k := &clients{trusted: o.TrustedProxies, log: o.Log}
	if o.Clients {
		return k.note
	}
	return func(c *gin.Context) { k.warnIgnored(c.Request) }
}

// releaseMode keeps gin from printing its banner and its routes. It is a setting of the process.
var releaseMode = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

func checkHost(o Options) gin.HandlerFunc {
	return func(c *gin.Context) {
		if o.Hosts != nil && !o.Hosts(c.Request.Host) {
			c.Abort()
			o.Refuse(c, WrongHost)
		}
	}
}

// hardeningHeaders sets the headers of an answer that is no page. Pages replace the policy by their own.
func hardeningHeaders(https bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
	}
}
