package web

import (
	"bytes"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/texts"
)

// Options are what the pages need.
type Options struct {
	Flow      flow.API
	PublicURL *url.URL
	Log       *slog.Logger
	// Theme has the operator's own templates, texts, style sheet and further files; nil: there are none.
	Theme fs.FS
	// Now is the clock for waiting times; nil means time.Now.
	Now func() time.Time
}

// Pages are the pages. They are the Pages of package httpapi.
type Pages struct {
	flow           flow.API
	log            *slog.Logger
	now            func() time.Time
	cookie         guard.Cookie
	origin         guard.Origin
	secure         bool
	languageCookie string
	texts          *texts.Set
	templates      *template.Template
	assets         *assets
}

// policy lets a page have our style sheet, our pictures and fonts and our forms, and nothing else: no scripts, no
// frames, no other site.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// New reads templates and texts, puts the theme's over them, and renders every template once. The theme is one that
// CheckTheme has found nothing wrong with; whatever shows all the same is config.Faults.
func New(o Options) (*Pages, error) {
	p := newPages(o)
	gaps, err := p.dress(o.Theme, (*dressing).prepare)
	for locale, ids := range gaps {
		p.log.Warn("the theme's language lacks texts, which are said in English", "language", locale, "missing", ids)
	}
	return p, err
}

// CheckTheme renders every page of a theme in every state and language. Everything that is wrong is config.Faults, all at
// once.
func CheckTheme(theme fs.FS) error {
	p := newPages(Options{PublicURL: &url.URL{Scheme: "https", Host: "id.example.org"}})
	_, err := p.dress(theme, (*dressing).lookAtEveryPage)
	return err
}

func newPages(o Options) *Pages {
	p := &Pages{
		flow: o.Flow, log: o.Log, now: o.Now,
		cookie: guard.NewCookie(o.PublicURL), origin: guard.NewOrigin(o.PublicURL),
		secure: o.PublicURL.Scheme == "https", languageCookie: "narthex-language",
	}
	if p.secure {
		p.languageCookie = "__Host-narthex-language"
	}
	if p.now == nil {
		p.now = time.Now
	}
	return p
}

// Routes adds the pages.
func (p *Pages) Routes(r gin.IRouter) {
	get := func(path string, h gin.HandlerFunc) { r.GET(path, h); r.HEAD(path, h) }
	home := func(c *gin.Context) { c.Redirect(http.StatusFound, "/register") }
	get("/", home)
	get("/register", p.home)
	get("/register/:flow", p.show)
	r.POST("/register/:flow", p.form(p.start))
	r.POST("/register/:flow/abort", p.form(p.abort))
	r.POST("/register/:flow/language", p.form(p.choose))
	r.POST("/register/:flow/steps/:step", p.form(p.answer))
	r.POST("/register/:flow/steps/:step/resend", p.form(p.resend))
	r.POST("/register/:flow/steps/:step/change", p.form(p.change))
	r.POST("/language", p.form(p.choose))
	// Where a form led is no place to come back to: reloading it from the address bar shows the registration.
	for _, path := range []string{"/abort", "/language", "/steps/:step", "/steps/:step/resend", "/steps/:step/change"} {
		get("/register/:flow"+path, func(c *gin.Context) { toFlow(c, c.Param("flow"), "") })
	}
	get("/language", home)
	for name, a := range p.assets.files {
		get(p.assets.path(name), func(c *gin.Context) {
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

// maxPage bounds a page in bytes: a template that goes on and on is an error.
const maxPage = 512 << 10

var errPageTooLong = errors.New("the page is longer than 512 KiB")

// bounded collects a page up to maxPage.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPage {
		return 0, errPageTooLong
	}
	return b.Buffer.Write(p)
}

// render writes a page. It is complete before its first byte goes out.
func (p *Pages) render(c *gin.Context, status int, name string, v any) {
	var page bounded
	if err := p.templates.ExecuteTemplate(&page, name, v); err != nil {
		p.log.ErrorContext(c.Request.Context(), "a page could not be made", "request", guard.RequestID(c.Request.Context()), "page", name, "error", err)
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Header("Content-Security-Policy", policy)
	c.Abort()
	c.Data(status, "text/html; charset=utf-8", page.Bytes())
}
