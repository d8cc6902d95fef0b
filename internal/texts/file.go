package texts

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/config"
)

// file is the texts of one language by id, and the top of the document that they stand in.
type file struct {
	texts map[string]message
	top   *config.Node
}

// message is one text: its form "other", and further ones where a count decides (CLDR's plural forms).
type message struct {
	forms map[string]string
	at    *config.Node
}

const formOther = "other"

// pluralForms are CLDR's names of them.
var pluralForms = []string{"zero", "one", "two", "few", "many", formOther}

func (m message) forI18n(id string) *i18n.Message {
	return &i18n.Message{ID: id, Zero: m.forms["zero"], One: m.forms["one"], Two: m.forms["two"], Few: m.forms["few"],
		Many: m.forms["many"], Other: m.forms[formOther]}
}

// isPlain tells whether the text is always the same.
func (m message) isPlain() bool {
	return len(m.forms) == 1 && !strings.Contains(m.forms[formOther], "{{")
}

// builtinFiles reads texts/active.<locale>.yaml.
func builtinFiles(files fs.FS) (map[string]file, error) {
	return readFiles(files, "texts/active.*.yaml", "active.")
}

// themeFiles reads texts/<locale>.yaml of a theme, or nothing when there is no theme.
func themeFiles(theme fs.FS) (map[string]file, error) {
	if theme == nil {
		return nil, nil
	}
	return readFiles(theme, "texts/*.yaml", "")
}

// maxFile bounds a file of texts in bytes.
const maxFile = 256 << 10

func readFiles(files fs.FS, pattern, prefix string) (map[string]file, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	all := map[string]file{}
	var faults config.Faults
	for _, name := range names {
		locale := strings.TrimPrefix(strings.TrimSuffix(path.Base(name), ".yaml"), prefix)
		if tag, err := language.Parse(locale); err != nil || tag.String() != locale {
			faults = append(faults, config.Fault{File: name, Problem: "the file is not named for a language", Fix: localeFix(tag)})
			continue
		}
		f, err := readFile(files, name)
		if more, ok := err.(config.Faults); ok { //nolint:errorlint // they are never wrapped here, and all are wanted
			faults = append(faults, more...)
		} else if err != nil {
			return nil, err
		}
		all[locale] = f
	}
	return all, faults.Err()
}

func localeFix(tag language.Tag) string {
	if tag == language.Und {
		return `name it by a language tag (BCP 47), like "fr.yaml" or "de-AT.yaml"`
	}
	return fmt.Sprintf("name it %q", tag.String()+".yaml")
}

// readFile returns the texts of one file, or config.Faults.
func readFile(files fs.FS, name string) (file, error) {
	if info, err := fs.Stat(files, name); err == nil && info.Size() > maxFile {
		return file{}, config.Faults{{File: name, Problem: fmt.Sprintf("the file has more than %d bytes", maxFile), Fix: "keep the texts that differ from the built-in ones"}}
	}
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return file{}, config.Faults{{File: name, Problem: "the file cannot be read: " + err.Error(), Fix: "give the service the right to read it; links out of the folder are not followed"}}
	}
	if strings.TrimSpace(string(content)) == "" {
		return file{}, nil
	}
	top, err := config.ParseYAML(name, content)
	if err != nil {
		return file{}, err
	}
	f := file{map[string]message{}, top}
	for _, e := range top.Entries() {
		f.texts[e.Key] = readMessage(e)
	}
	return f, top.Err()
}

func readMessage(e config.Entry) message {
	m := message{forms: map[string]string{}, at: e.At}
	if !e.Value.IsMapping() {
		m.set(formOther, e.Value)
		return m
	}
	for _, form := range e.Value.Entries() {
		if !slices.Contains(pluralForms, form.Key) {
			form.At.Fault(fmt.Sprintf("there is no plural form %q", form.Key), "use "+strings.Join(pluralForms, ", "))
			continue
		}
		m.set(form.Key, form.Value)
	}
	if _, ok := m.forms[formOther]; !ok {
		e.At.Fault(`the form "other" is missing`, "add it: it is the one that always fits")
	}
	return m
}

var place = regexp.MustCompile(`\{\{\s*\.([A-Za-z]+)\s*\}\}`)

func (m message) set(form string, n *config.Node) {
	text := n.Str()
	if rest := place.ReplaceAllString(text, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
		n.Fault("braces stand here that are no place for a value", "write places as {{.Name}}, and nothing else between the braces")
	}
	m.forms[form] = text
}

// places lists the values that a text has places for, sorted.
func (m message) places() []string {
	var names []string
	for _, text := range m.forms {
		for _, found := range place.FindAllStringSubmatch(text, -1) {
			names = append(names, found[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
