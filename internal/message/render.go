package message

import (
	"bytes"
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

// sizeClass is what the bodies of all letters are filled up to a multiple of, in bytes: the two answers of a stealthy
// flow look alike from outside an encrypted connection.
const sizeClass = 4096

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
func NewRenderer() (*Renderer, error) {
	r := &Renderer{letters: map[string]map[string]letter{}}
	dirs, err := fs.ReadDir(builtin, "templates")
	if err != nil {
		return nil, fmt.Errorf("read the mail templates: %w", err)
	}
	var errs []error
	for _, d := range dirs {
		r.locales = append(r.locales, d.Name())
		r.letters[d.Name()] = map[string]letter{}
		for _, kind := range []string{kindCode, kindNotice} {
			errs = append(errs, r.load(d.Name(), kind))
		}
	}
	// English comes first: it is what everybody gets whose language is not there.
	slices.SortFunc(r.locales, func(a, b string) int {
		return strings.Compare(strings.Replace(a, "en", "", 1), strings.Replace(b, "en", "", 1))
	})
	var tags []language.Tag
	for _, l := range r.locales {
		tag, err := language.Parse(l)
		errs = append(errs, err)
		tags = append(tags, tag)
	}
	r.matcher = language.NewMatcher(tags)
	return r, errors.Join(errs...)
}

func (r *Renderer) load(locale, kind string) error {
	text, err := texttemplate.New(kind).Option("missingkey=error").ParseFS(builtin, "templates/"+locale+"/"+kind+".txt")
	if err != nil {
		return fmt.Errorf("mail template: %w", err)
	}
	html, err := htmltemplate.New(kind).Option("missingkey=error").ParseFS(builtin, "letter.html", "templates/"+locale+"/"+kind+".html")
	if err != nil {
		return fmt.Errorf("mail template: %w", err)
	}
	r.letters[locale][kind] = letter{text, html}
	_, err = r.letters[locale][kind].render(values{Code: "00000000", Until: "12:00", LoginURL: "https://login.example.org/", Locale: locale})
	return err
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
	var subject, text, html bytes.Buffer
	if err := l.text.ExecuteTemplate(&subject, "subject", v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	v.Subject = subject.String()
	if err := l.text.ExecuteTemplate(&text, "text", v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	if err := l.html.ExecuteTemplate(&html, "letter", v); err != nil {
		return rendered{}, fmt.Errorf("render a mail: %w", err)
	}
	const before, after = "\n<!-- ", " -->\n"
	size := subject.Len() + text.Len() + html.Len() + len(before) + len(after)
	fill := strings.Repeat("fill ", sizeClass/5+1)[:(sizeClass-size%sizeClass)%sizeClass]
	html.WriteString(before + fill + after)
	return rendered{subject.String(), text.String(), html.String()}, nil
}
