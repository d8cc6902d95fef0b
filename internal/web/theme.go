package web

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/texts"
)

//go:embed templates/*.html
var templateFiles embed.FS

// dressing puts a theme over what is built in, and collects everything that is wrong with it.
type dressing struct {
	*Pages
	theme  fs.FS
	names  []string // the theme's files
	faults config.Faults
}

// dress reads templates, texts and files, and prepares the pages by look.
func (p *Pages) dress(theme fs.FS, look func(*dressing)) (texts.Gaps, error) {
	d := &dressing{Pages: p, theme: theme}
	if theme != nil {
		d.list(".", 0)
		d.checkNames()
	}
	gaps, err := texts.Check(theme, textFiles, flow.TextFiles())
	if err := d.take(err); err != nil {
		return nil, err
	}
	d.readAssets()
	if err := d.readTemplates(); err != nil {
		return nil, err
	}
	if len(d.faults) == 0 {
		if p.texts, err = readTexts(theme); err != nil {
			return nil, err
		}
		look(d)
	}
	return gaps, d.faults.Err()
}

// take adds faults that somebody else found, and returns what is no fault of the theme's.
func (d *dressing) take(err error) error {
	var more config.Faults
	if errors.As(err, &more) {
		d.faults = append(d.faults, more...)
		return nil
	}
	return err
}

func (d *dressing) fault(file string, line int, problem, fix string) {
	f := config.Fault{File: file, Line: line, Problem: problem, Fix: fix}
	if line > 0 {
		f.Column = 1
	}
	if !slices.Contains(d.faults, f) { // one page is looked at in many states
		d.faults = append(d.faults, f)
	}
}

// Bounds of a theme: the bytes of one file, how many files there may be, and how deep folders stand in one another.
const (
	maxThemeFile  = 1 << 20
	maxThemeFiles = 200
	maxThemeDepth = 4
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// list finds the theme's files. Names that begin with a dot are not looked at: editors and container platforms keep
// things there. Links are followed as far as the file system lets them lead.
func (d *dressing) list(folder string, depth int) {
	entries, err := fs.ReadDir(d.theme, folder)
	if err != nil {
		d.fault(folder, 0, "the folder cannot be read: "+err.Error(), "give the service the right to read it")
		return
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		info, err := fs.Stat(d.theme, name)
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case !plainName.MatchString(e.Name()):
			d.fault(name, 0, "the name has characters that are trouble in addresses", "use letters, digits, hyphens, underscores and dots")
		case err != nil:
			d.fault(name, 0, "this cannot be read: "+err.Error(), "give the service the right to read it; links that lead out of the theme are not followed")
		case info.IsDir() && depth >= maxThemeDepth:
			d.fault(name, 0, "folders stand too deep in one another here", "keep fewer levels")
		case info.IsDir():
			d.list(name, depth+1)
		case !info.Mode().IsRegular():
			d.fault(name, 0, "this is not a plain file", "remove it, or put a file in its place")
		case info.Size() > maxThemeFile:
			d.fault(name, 0, fmt.Sprintf("the file has more than %d bytes", maxThemeFile), "make it smaller")
		case len(d.names) == maxThemeFiles:
			d.fault(".", 0, fmt.Sprintf("there are more than %d files", maxThemeFiles), "keep those that the pages use")
		default:
			d.names = append(d.names, name)
		}
	}
}

// The parts of a theme; mails are read by package message.
const (
	pagesFolder  = "pages/"
	textsFolder  = "texts/"
	staticFolder = "static/"
	mailsFolder  = "mails/"
)

// checkNames finds files that nobody would ever read: nearly always a name that is mistyped.
func (d *dressing) checkNames() {
	known := []string{"style.css", "icon.svg"}
	for _, name := range builtinTemplates() {
		known = append(known, pagesFolder+name)
	}
	for _, name := range d.names {
		fix := "remove it; a theme has style.css, icon.svg and the folders pages, texts, static and mails"
		if like := config.Nearest(name, known); like != "" {
			fix = fmt.Sprintf("did you mean %q?", like)
		}
		switch {
		case slices.Contains(known, name), strings.HasPrefix(name, staticFolder), strings.HasPrefix(name, mailsFolder), strings.HasPrefix(name, "README"):
		case strings.HasPrefix(name, textsFolder) && path.Ext(name) == ".yaml" && path.Dir(name)+"/" == textsFolder:
		case strings.HasPrefix(name, textsFolder):
			d.fault(name, 0, "this is no file of texts", `name it by a language, like "texts/fr.yaml"`)
		default:
			d.fault(name, 0, "nothing reads this file", fix)
		}
	}
}

func (d *dressing) below(folder string) (names []string) {
	for _, name := range d.names {
		if strings.HasPrefix(name, folder) {
			names = append(names, name)
		}
	}
	return names
}

// read returns a file of the theme, and false when there is none that can be used.
func (d *dressing) read(name string) ([]byte, bool) {
	if !slices.Contains(d.names, name) {
		return nil, false
	}
	content, err := fs.ReadFile(d.theme, name)
	if err != nil {
		d.fault(name, 0, "the file cannot be read: "+err.Error(), "give the service the right to read it")
		return nil, false
	}
	return content, true
}

func builtinTemplates() []string {
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic("web: a pattern is wrong: " + err.Error())
	}
	for i, name := range files {
		files[i] = path.Base(name)
	}
	return files
}

// readTemplates parses the built-in templates, or the theme's in their place.
func (d *dressing) readTemplates() error {
	d.templates = template.New("pages").Option("missingkey=error")
	for _, name := range builtinTemplates() {
		content, err := fs.ReadFile(templateFiles, "templates/"+name)
		if err != nil {
			return fmt.Errorf("read the templates of the pages: %w", err)
		}
		own, themed := d.read(pagesFolder + name)
		if themed {
			content = own
			d.checkSource(pagesFolder+name, string(content))
		}
		if _, err := d.templates.New(name).Parse(string(content)); err != nil {
			if !themed {
				return fmt.Errorf("read the templates of the pages: %w", err)
			}
			d.templateFault(err)
		}
	}
	return nil
}

var templatePlace = regexp.MustCompile(`([a-z]+\.html):(\d+)(?::\d+)?: (.*)$`)

// templateFault tells a template's error as a fault at its place.
func (d *dressing) templateFault(err error) {
	const fix = "compare it with the built-in template of this name"
	text := strings.Join(strings.Fields(err.Error()), " ")
	found := templatePlace.FindStringSubmatch(text)
	if found == nil {
		d.fault(strings.TrimSuffix(pagesFolder, "/"), 0, text, fix)
		return
	}
	line := 0
	_, _ = fmt.Sscan(found[2], &line)
	d.fault(pagesFolder+found[1], line, found[3], fix)
}

// themed tells which of the theme's files have a part in the pages, for faults that have no place.
func (d *dressing) themed() string {
	own := map[string]bool{}
	for _, name := range d.below(pagesFolder) {
		own[name] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(own)), ", ")
}
