package message

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"

	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/config"
)

//go:embed templates
var builtin embed.FS

const (
	builtinFolder = "templates"
	themeFolder   = "mails"
	frame         = "letter.html"
	english       = "en"
)

// file is one template file.
type file struct {
	name    string // where it stands, for people
	content string
}

// loader puts a theme's templates over the built-in ones and collects everything that is wrong with them.
type loader struct {
	builtin, theme fs.FS
	faults         config.Faults
}

func newRenderer(builtin, theme fs.FS) (*Renderer, error) {
	l := &loader{builtin: builtin, theme: theme}
	locales, err := l.locales()
	if err != nil {
		return nil, err
	}
	r := &Renderer{letters: map[string]map[string]letter{}}
	for _, locale := range slices.SortedFunc(maps.Keys(locales), englishFirst) {
		r.locales = append(r.locales, locale)
		r.letters[locale] = map[string]letter{}
		for _, kind := range kinds() {
			r.letters[locale][kind] = l.letter(locale, kind)
		}
	}
	if err := l.faults.Err(); err != nil {
		return nil, err
	}
	var tags []language.Tag
	for _, locale := range r.locales {
		tags = append(tags, locales[locale])
	}
	if len(tags) == 0 {
		return nil, errors.New("there are no mail templates")
	}
	r.matcher = language.NewMatcher(tags)
	return r, nil
}

// englishFirst sorts what everybody gets whose language is not there to the front.
func englishFirst(a, b string) int {
	if (a == english) != (b == english) {
		return map[bool]int{true: -1, false: 1}[a == english]
	}
	return strings.Compare(a, b)
}

// locales lists the languages that there are templates for, and finds files that nobody would read.
func (l *loader) locales() (map[string]language.Tag, error) {
	all := map[string]language.Tag{}
	dirs, err := fs.ReadDir(l.builtin, builtinFolder)
	if err != nil {
		return nil, fmt.Errorf("read the mail templates: %w", err)
	}
	for _, d := range dirs {
		if d.IsDir() {
			all[d.Name()] = language.Make(d.Name())
		}
	}
	if l.theme == nil {
		return all, nil
	}
	themed, err := fs.ReadDir(l.theme, themeFolder)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		l.fault(themeFolder, 0, "the folder cannot be read: "+err.Error(), "give the service the right to read it")
	}
	for _, d := range themed {
		name := path.Join(themeFolder, d.Name())
		info, err := fs.Stat(l.theme, name) // a link counts as what it leads to
		switch {
		case ignored(d.Name()), d.Name() == frame:
		case err != nil, !info.IsDir():
			l.fault(name, 0, "nothing reads this file", likely(d.Name(), frame, "remove it; the folder mails has letter.html and a folder for each language"))
		default:
			tag, err := language.Parse(d.Name())
			if err != nil || tag.String() != d.Name() {
				l.fault(name, 0, "the folder is not named for a language", `name it by a language tag (BCP 47), like "fr" or "de-AT"`)
				continue
			}
			all[d.Name()] = tag
			l.checkNames(name)
		}
	}
	return all, nil
}

// ignored files are an editor's, a container platform's or a person's own.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "README")
}

// checkNames finds files of one language that nobody would read: nearly always a name that is mistyped.
func (l *loader) checkNames(folder string) {
	var known []string
	for _, kind := range kinds() {
		known = append(known, kind+".txt", kind+".html")
	}
	files, err := fs.ReadDir(l.theme, folder)
	if err != nil {
		l.fault(folder, 0, "the folder cannot be read: "+err.Error(), "give the service the right to read it")
	}
	for _, f := range files {
		if !ignored(f.Name()) && !slices.Contains(known, f.Name()) {
			l.fault(path.Join(folder, f.Name()), 0, "nothing reads this file",
				likely(f.Name(), config.Nearest(f.Name(), known), "remove it; a language has "+strings.Join(known, ", ")))
		}
	}
}

func likely(name, like, otherwise string) string {
	if like != "" && config.Nearest(name, []string{like}) != "" {
		return fmt.Sprintf("did you mean %q?", like)
	}
	return otherwise
}

// read returns a file: the theme's, the built-in one, or that of the language without its region.
func (l *loader) read(locale, name string) (file, bool) {
	if l.theme != nil {
		at := path.Join(themeFolder, locale, name)
		content, err := fs.ReadFile(l.theme, at)
		if err == nil {
			return file{at, string(content)}, true
		}
		if !errors.Is(err, fs.ErrNotExist) {
			l.fault(at, 0, "the file cannot be read: "+err.Error(), "give the service the right to read it; links that lead out of the theme are not followed")
			return file{}, false
		}
	}
	at := path.Join(builtinFolder, locale, name)
	if content, err := fs.ReadFile(l.builtin, at); err == nil {
		return file{at, string(content)}, true
	}
	if base, _ := language.Make(locale).Base(); locale != "" && base.String() != locale {
		return l.read(base.String(), name)
	}
	l.fault(path.Join(themeFolder, locale, name), 0, "the file is missing", "add it: a language needs every mail, as text and as HTML")
	return file{}, false
}

// letter reads one kind in one language and looks at it.
func (l *loader) letter(locale, kind string) letter {
	text, isText := l.read(locale, kind+".txt")
	html, isHTML := l.read(locale, kind+".html")
	around, isFrame := l.read("", frame)
	if !isText || !isHTML || !isFrame {
		return letter{}
	}
	t, errText := texttemplate.New(text.name).Option("missingkey=error").Parse(text.content)
	l.report(text, errText)
	h, errFrame := htmltemplate.New(around.name).Option("missingkey=error").Parse(around.content)
	l.report(around, errFrame)
	if errText != nil || errFrame != nil {
		return letter{}
	}
	if _, err := h.New(html.name).Parse(html.content); err != nil {
		l.report(html, err)
		return letter{}
	}
	whole := letter{t, h}
	for _, part := range []struct {
		in      file
		name    string
		defined bool
	}{
		{text, "subject", t.Lookup("subject") != nil}, {text, "text", t.Lookup("text") != nil},
		{html, "html", h.Lookup("html") != nil}, {around, "letter", h.Lookup("letter") != nil},
	} {
		if !part.defined {
			l.fault(part.in.name, 0, fmt.Sprintf("there is no %q in it", part.name), fmt.Sprintf("wrap it in {{define %q}} and {{end}}", part.name))
			whole = letter{}
		}
	}
	if whole.text != nil {
		l.lookAt(whole, kind, locale, text, html)
	}
	return whole
}
