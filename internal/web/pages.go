package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// Options are what the pages need.
type Options struct {
	Flow      flow.API
	PublicURL *url.URL
	Log       *slog.Logger
	// Now is the clock for waiting times; nil means time.Now.
	Now func() time.Time
}

// Pages are the pages. They are the Pages of package httpapi.
type Pages struct {
	flow      flow.API
	log       *slog.Logger
	now       func() time.Time
	cookie    guard.Cookie
	origin    guard.Origin
	texts     *texts
	templates *template.Template
	assets    map[string]asset
}

// asset is a file that a page refers to. Its path changes with its content, so browsers may keep it.
type asset struct {
	path, contentType string
	content           []byte
}

// policy lets a page have our style sheet, our icon and our forms, and nothing else: no scripts, no frames, no other site.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// New reads templates and texts.
func New(o Options) (*Pages, error) {
	p := &Pages{
		flow: o.Flow, log: o.Log, now: o.Now,
		cookie: guard.NewCookie(o.PublicURL), origin: guard.NewOrigin(o.PublicURL), assets: map[string]asset{},
	}
	if p.now == nil {
		p.now = time.Now
	}
	var err error
	if p.texts, err = loadTexts(); err != nil {
		return nil, err
	}
	if p.templates, err = template.ParseFS(templateFiles, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("read the templates of the pages: %w", err)
	}
	for name, contentType := range map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"} {
		content, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		sum := sha256.Sum256(content)
		p.assets[name] = asset{"/assets/" + hex.EncodeToString(sum[:6]) + "/" + name, contentType, content}
	}
	return p, nil
}

// Routes adds the pages.
func (p *Pages) Routes(r gin.IRouter) {
	get := func(path string, h gin.HandlerFunc) { r.GET(path, h); r.HEAD(path, h) }
	get("/", func(c *gin.Context) { c.Redirect(http.StatusFound, "/register") })
	get("/register", p.home)
	get("/register/:flow", p.show)
	r.POST("/register/:flow", p.form(p.start))
	r.POST("/register/:flow/abort", p.form(p.abort))
	r.POST("/register/:flow/steps/:step", p.form(p.answer))
	r.POST("/register/:flow/steps/:step/resend", p.form(p.resend))
	r.POST("/register/:flow/steps/:step/change", p.form(p.change))
	// Where a form led is no place to come back to: reloading it from the address bar shows the registration.
	for _, path := range []string{"/abort", "/steps/:step", "/steps/:step/resend", "/steps/:step/change"} {
		get("/register/:flow"+path, func(c *gin.Context) { toFlow(c, c.Param("flow"), "") })
	}
	for _, a := range p.assets {
		get(a.path, func(c *gin.Context) {
			c.Header("Cache-Control", "public, max-age=31536000, immutable")
			c.Data(http.StatusOK, a.contentType, a.content)
		})
	}
}

// Refuse answers a request outside the API that the guard refused.
func (p *Pages) Refuse(c *gin.Context, r guard.Refusal) {
	switch r {
	case guard.NotFound, guard.WrongHost:
		p.notice(c, http.StatusNotFound, "unknown", true)
	case guard.MethodNotAllowed:
		p.notice(c, http.StatusMethodNotAllowed, "method", true)
	case guard.Panicked:
		p.notice(c, http.StatusInternalServerError, "internal", true)
	}
}

// toFlow leads the browser to the page of a flow by a GET.
func toFlow(c *gin.Context, name, notice string) {
	target := "/register/" + url.PathEscape(name)
	if notice != "" {
		target += "?notice=" + notice
	}
	c.Redirect(http.StatusSeeOther, target)
}

// render writes a page. It is complete before its first byte goes out.
func (p *Pages) render(c *gin.Context, status int, name string, v any) {
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, v); err != nil {
		p.log.ErrorContext(c.Request.Context(), "a page could not be made", "request", guard.RequestID(c.Request.Context()), "page", name, "error", err)
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Header("Content-Security-Policy", policy)
	c.Abort()
	c.Data(status, "text/html; charset=utf-8", page.Bytes())
}
