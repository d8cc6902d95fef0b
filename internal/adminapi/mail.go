package adminapi

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/httpapi/guard"
)

// Mailbox holds the mails that a development machine did not send.
type Mailbox interface {
	// List returns the mails, newest first, without their bodies.
	List(ctx context.Context) ([]Mail, error)
	// Read returns one mail; an error that is fs.ErrNotExist when there is none of this id.
	Read(ctx context.Context, id string) (Mail, error)
}

// Mail is a mail as its reader sees it.
type Mail struct {
	ID      string    `json:"id"` // letters, digits, dots, hyphens and underscores
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text,omitempty"`
	HTML    string    `json:"html,omitempty"`
}

//go:embed templates/*
var templateFiles embed.FS

const stylePath = "/dev/style.css"

// mailPolicy lets a mail have its own style attributes and nothing else; it holds in the frame, too. The frame is
// sandboxed: what is in it runs no script, sends no form and has no origin.
const mailPolicy = "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type mailPages struct {
	mailbox   Mailbox
	log       *slog.Logger
	templates *template.Template
}

func newMailPages(m Mailbox, log *slog.Logger) (*mailPages, error) {
	t, err := template.ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the templates of the mailbox: %w", err)
	}
	return &mailPages{m, log, t}, nil
}

func (p *mailPages) list(c *gin.Context) {
	mails, err := p.mailbox.List(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	if mails == nil {
		mails = []Mail{}
	}
	p.answer(c, "list.html", gin.H{"mails": mails})
}

var mailID = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$`)

func (p *mailPages) show(c *gin.Context) {
	id := c.Param("id")
	if !mailID.MatchString(id) {
		refuse(c, guard.NotFound)
		return
	}
	mail, err := p.mailbox.Read(c.Request.Context(), id)
	if err != nil {
		p.fail(c, err)
		return
	}
	p.answer(c, "mail.html", mail)
}

func (p *mailPages) style(c *gin.Context) {
	css, err := templateFiles.ReadFile("templates/style.css")
	if err != nil {
		p.fail(c, err)
		return
	}
	c.Data(http.StatusOK, "text/css; charset=utf-8", css)
}

// answer writes v as JSON to whoever asks for it, and as a page to everybody else.
func (p *mailPages) answer(c *gin.Context, page string, v any) {
	c.Header("Vary", "Accept")
	if strings.Contains(c.GetHeader("Accept"), "application/json") {
		c.JSON(http.StatusOK, v)
		return
	}
	var html bytes.Buffer
	if err := p.templates.ExecuteTemplate(&html, page, v); err != nil {
		p.fail(c, err)
		return
	}
	c.Header("Content-Security-Policy", mailPolicy)
	c.Data(http.StatusOK, "text/html; charset=utf-8", html.Bytes())
}

func (p *mailPages) fail(c *gin.Context, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		refuse(c, guard.NotFound)
		return
	}
	ctx := c.Request.Context()
	p.log.ErrorContext(ctx, "the mailbox could not be read", "request", guard.RequestID(ctx), "error", err)
	refuse(c, guard.Panicked)
}
