package message

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"golang.org/x/text/language"
)

//go:embed letter.html templates
var builtin embed.FS

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

// NewRenderer parses the built-in templates and renders each once: one that fails is an error now, not at the first
// letter.
func NewRenderer() (*Renderer, error) { return newRenderer(builtin) }

func newRenderer(files fs.FS) (*Renderer, error) {
	r := &Renderer{letters: map[string]map[string]letter{}}
	dirs, err := fs.ReadDir(files, "templates")
	if err != nil {
		return nil, fmt.Errorf("read the mail templates: %w", err)
	}
	var errs []error
	for _, d := range dirs {
		r.locales = append(r.locales, d.Name())
		r.letters[d.Name()] = map[string]letter{}
		for _, kind := range kinds() {
			errs = append(errs, r.load(files, d.Name(), kind))
		}
	}
	// English comes first: it is what everybody gets whose language is not there.
	slices.SortFunc(r.locales, func(a, b string) int {
		return strings.Compare(strings.Replace(a, "en", "", 1), strings.Replace(b, "en", "", 1))
	})
	var tags []language.Tag
	for _, l := range r.locales {
		tag, err := language.Parse(l)
		if err != nil {
			errs = append(errs, fmt.Errorf("mail templates of %s: %w", l, err))
		}
		tags = append(tags, tag)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		return nil, errors.New("there are no mail templates")
	}
	r.matcher = language.NewMatcher(tags)
	return r, nil
}

func (r *Renderer) load(files fs.FS, locale, kind string) error {
	path := "templates/" + locale + "/" + kind
	text, err := texttemplate.New(kind).Option("missingkey=error").ParseFS(files, path+".txt")
	if err != nil {
		return fmt.Errorf("mail template %s.txt: %w", path, err)
	}
	html, err := htmltemplate.New(kind).Option("missingkey=error").ParseFS(files, "letter.html", path+".html")
	if err != nil {
		return fmt.Errorf("mail template %s.html: %w", path, err)
	}
	l := letter{text, html}
	r.letters[locale][kind] = l
	for _, loginURL := range []string{"https://login.example.org/", ""} { // templates may ask whether there is one
		if _, err := l.render(values{Code: "00000000", Until: "12:00", LoginURL: loginURL, Locale: locale}); err != nil {
			return fmt.Errorf("mail template %s: %w", path, err)
		}
	}
	return nil
}

// render puts a letter of a kind into the language that fits the wish best.
func (r *Renderer) render(kind, locale, code, loginURL string, until time.Time) (rendered, error) {
	wish, _, err := language.ParseAcceptLanguage(locale)
	if err != nil {
		wish = nil
	}
	_, index, _ := r.matcher.Match(wish...)
	best := r.locales[index]
	return r.letters[best][kind].render(values{Code: code, Until: until.UTC().Format("15:04"), LoginURL: loginURL, Locale: best})
}

func (l letter) render(v values) (rendered, error) {
	subject, text, html := &part{}, &part{}, &part{}
	if err := l.text.ExecuteTemplate(subject, "subject", v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	v.Subject = subject.String()
	if err := l.text.ExecuteTemplate(text, "text", v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	if err := l.html.ExecuteTemplate(html, "letter", v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	return rendered{subject.String(), text.String(), html.String()}, nil
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
