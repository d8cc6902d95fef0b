package guard

import (
	"log/slog"
	"net/http"
	"time"
)

// Bounds of every listener. The write deadline leaves a handler that ran out of time some seconds to say so.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 25 * time.Second
	idleTimeout    = 60 * time.Second
	requestTimeout = 20 * time.Second
	maxHeaderBytes = 16 << 10
)

// MaxBodyBytes bounds the body of a request.
const MaxBodyBytes = 16 << 10

// NewServer returns a server for h with a deadline on everything that a client can draw out. Shutdown drains it:
// requests in flight are finished, new connections refused.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes - serverSlop,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serverSlop is what net/http adds to MaxHeaderBytes before it refuses.
const serverSlop = 4 << 10
