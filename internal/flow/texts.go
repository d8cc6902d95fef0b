package flow

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed texts/*.yaml
var textFiles embed.FS

// Texts are the engine's own words: what is wrong with a field, and what fields are called. They live in texts/, one
// file per language, and nowhere else.
type Texts struct {
	locales    []string
	matcher    language.Matcher
	localizers map[string]*i18n.Localizer
}

// NewTexts reads the built-in texts. extra names further languages that a registration may be held in, because the
// flows file has texts in them; what is missing in them is said in English.
func NewTexts(extra ...string) (*Texts, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	files, err := fs.Glob(textFiles, "texts/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	for _, name := range files {
		content, err := fs.ReadFile(textFiles, name)
		if err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
		if _, err := bundle.ParseMessageFileBytes(content, name); err != nil {
			return nil, fmt.Errorf("read texts %s: %w", name, err)
		}
	}
	t := &Texts{localizers: map[string]*i18n.Localizer{}}
	tags := bundle.LanguageTags()
	for _, locale := range extra {
		if tag, err := language.Parse(locale); err == nil {
			tags = append(tags, tag)
		}
	}
	for _, tag := range tags {
		locale := tag.String()
		t.locales = append(t.locales, locale)
		t.localizers[locale] = i18n.NewLocalizer(bundle, locale)
	}
	t.matcher = language.NewMatcher(tags)
	return t, nil
}

// maxLocale bounds what is parsed as a language wish.
const maxLocale = 128

// Match returns the supported language that fits a wish (a BCP 47 tag or the value of an Accept-Language header) best.
func (t *Texts) Match(wish string) string {
	if wish == "" || len(wish) > maxLocale {
		return t.locales[0]
	}
	tags, _, err := language.ParseAcceptLanguage(wish)
	if err != nil {
		return t.locales[0]
	}
	_, index, confidence := t.matcher.Match(tags...)
	if confidence == language.No {
		return t.locales[0]
	}
	return t.locales[index]
}

// say returns the text of an id, or "" when there is none.
func (t *Texts) say(locale, id string, data map[string]any) string {
	l, ok := t.localizers[locale]
	if !ok {
		l = t.localizers[t.locales[0]]
	}
	// An error next to a text means that it had to be taken from another language.
	text, _ := l.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data})
	return text
}

// violation words one violation. min, max and the like are the rule's own numbers, never what was entered.
func (t *Texts) violation(locale, field, code string, data map[string]any) Violation {
	id := "violation_" + code
	if data == nil && (code == "min_length" || code == "max_length") {
		id += "_unnamed"
	}
	text := t.say(locale, id, data)
	if text == "" {
		text = t.say(locale, "violation_other", data)
	}
	return Violation{Field: field, Code: code, Message: text}
}

// label returns an item's label: the file's own, ours for well-known names, or the name in readable form.
func (t *Texts) label(locale string, own Text, name string) string {
	if s := own.In(locale); s != "" {
		return s
	}
	if s := t.say(locale, "label_"+name, nil); s != "" {
		return s
	}
	readable := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(readable[:1]) + readable[1:]
}
