package message

import (
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	texttemplate "text/template"
	"time"

	"golang.org/x/text/language"
)

// The kinds of letters.
const (
	kindCode   = "code"
	kindNotice = "notice"
)

// kinds lists them.
func kinds() []string { return []string{kindCode, kindNotice} }

// partLimit bounds one part of a letter, in bytes: a template that goes on and on is an error.
const partLimit = 64 << 10

// Renderer turns kinds of letters into words, in every language that it has templates for.
type Renderer struct {
	letters map[string]map[string]letter // by locale and kind
	locales []string
	matcher language.Matcher
}

// letter is one kind in one language.
type letter struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// values are what templates may use. Whatever people have entered is shown literally.
type values struct {
	Code, Until, LoginURL, Locale, Subject string
}

// rendered is a letter in words.
type rendered struct{ subject, text, html string }

// NewRenderer reads the built-in templates, or the theme's in their place (mails/<locale>/<name>, mails/letter.html; a
// theme may have further languages), and renders each of them: what is wrong is told now, all at once and as
// config.Faults, and not at the first letter. theme may be nil.
func NewRenderer(theme fs.FS) (*Renderer, error) { return newRenderer(builtin, theme) }

// render puts a letter of a kind into the language that fits the wish best.
func (r *Renderer) render(kind, locale, code, loginURL string, until time.Time) (rendered, error) {
	wish, _, err := language.ParseAcceptLanguage(locale)
	if err != nil {
		wish = nil
	}
	_, index, _ := r.matcher.Match(wish...)
	best := r.locales[index]
	v := values{Until: until.UTC().Format("15:04"), LoginURL: loginURL, Locale: best}
	if kind == kindCode {
		v.Code = code
	}
	return r.letters[best][kind].render(v)
}

func (l letter) render(v values) (r rendered, err error) {
	if r.subject, r.text, err = l.inText(v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	v.Subject = r.subject
	if r.html, err = l.inHTML(v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	return r, nil
}

func (l letter) inText(v values) (subject, text string, err error) {
	var s, t part
	if err := l.text.ExecuteTemplate(&s, "subject", v); err != nil {
		return "", "", err
	}
	err = l.text.ExecuteTemplate(&t, "text", v)
	return s.String(), t.String(), err
}

func (l letter) inHTML(v values) (string, error) {
	var h part
	err := l.html.ExecuteTemplate(&h, "letter", v)
	return h.String(), err
}

// part collects one part of a letter, up to partLimit.
type part struct{ strings.Builder }

// Write implements io.Writer.
func (p *part) Write(b []byte) (int, error) {
	if p.Len()+len(b) > partLimit {
		return 0, fmt.Errorf("it is longer than %d bytes", partLimit)
	}
	return p.Builder.Write(b)
}

// WriteString keeps what is embedded from going around the limit.
func (p *part) WriteString(s string) (int, error) { return p.Write([]byte(s)) }
