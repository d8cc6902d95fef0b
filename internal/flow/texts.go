package flow

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/texts"
)

//go:embed texts/*.yaml
var textFiles embed.FS

// TextFiles are the engine's built-in texts, for a check of the operator's own.
func TextFiles() fs.FS { return textFiles }

// Texts are the engine's own words: what is wrong with a field, and what fields are called. They live in texts/, one
// file per language, and nowhere else.
type Texts struct {
	set     *texts.Set
	locales []string
	// said tells, for each locale, in which language of the set it is served.
	said    map[string]string
	matcher language.Matcher
}

// NewTexts reads the built-in texts and puts those of a theme, which may be nil, over them. extra names further
// languages that a registration may be held in, because the flows file has texts in them; what is missing in them is
// said in English.
func NewTexts(theme fs.FS, extra ...string) (*Texts, error) {
	set, err := texts.New(textFiles, theme)
	if err != nil {
		return nil, fmt.Errorf("read the engine's texts: %w", err)
	}
	t := &Texts{set: set, said: map[string]string{}}
	var tags []language.Tag
	for _, locale := range append(set.Locales(), extra...) {
		tag, err := language.Parse(locale)
		if err != nil || t.said[tag.String()] != "" {
			continue
		}
		tags = append(tags, tag)
		t.locales = append(t.locales, tag.String())
		t.said[tag.String()], _ = set.Match(tag.String())
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
	return t.set.Say(t.said[locale], id, data, nil)
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
