package web

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed texts/*.yaml
var textFiles embed.FS

// Texts are the words of the pages, one file per language.
type texts struct {
	matcher   language.Matcher
	languages []words
}

// words are the texts of one language, as templates use them.
type words struct {
	Lang      string
	localizer *i18n.Localizer
}

func loadTexts() (*texts, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	files, err := fs.Glob(textFiles, "texts/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the texts of the pages: %w", err)
	}
	for _, name := range files {
		if _, err := bundle.LoadMessageFileFS(textFiles, name); err != nil {
			return nil, fmt.Errorf("read the texts of the pages: %w", err)
		}
	}
	tags := bundle.LanguageTags()
	t := &texts{matcher: language.NewMatcher(tags)}
	for _, tag := range tags {
		t.languages = append(t.languages, words{tag.String(), i18n.NewLocalizer(bundle, tag.String())})
	}
	return t, nil
}

// in returns the words of the first wish (a tag, or an Accept-Language header) that there are words for.
func (t *texts) in(wishes ...string) words {
	_, i := language.MatchStrings(t.matcher, wishes...)
	return t.languages[i]
}

// Say returns a text.
func (w words) Say(id string) string { return w.say(id, nil, nil) }

// With returns a text with values in it: names and values by turns.
func (w words) With(id string, pairs ...any) string {
	data := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return w.say(id, data, nil)
}

// Count returns a text about n things.
func (w words) Count(id string, n int) string {
	return w.say(id, map[string]any{"Count": n}, n)
}

func (w words) say(id string, data map[string]any, count any) string {
	// An error beside a text means that it comes from the default language. A test makes sure that there is one.
	text, _ := w.localizer.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data, PluralCount: count})
	return text
}
