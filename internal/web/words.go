package web

import (
	"embed"
	"fmt"
	"io/fs"

	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/texts"
)

//go:embed texts/*.yaml
var textFiles embed.FS

// words are the texts of one language, as templates use them.
type words struct {
	// Lang and Dir are for the html element: the language's tag, and ltr or rtl.
	Lang, Dir string
	set       *texts.Set
	// missing collects the ids that nobody has written; nil unless a theme is being checked.
	missing *[]string
}

// readTexts reads the built-in texts, and those of a theme over them.
func readTexts(theme fs.FS) (*texts.Set, error) {
	set, err := texts.New(textFiles, theme)
	if err != nil {
		return nil, fmt.Errorf("read the texts of the pages: %w", err)
	}
	return set, nil
}

func wordsOf(set *texts.Set, locale string) words {
	return words{Lang: locale, Dir: direction(locale), set: set}
}

// direction tells how a language is written.
func direction(locale string) string {
	script, _ := language.Make(locale).Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
		return "rtl"
	}
	return "ltr"
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
	text := w.set.Say(w.Lang, id, data, count)
	if text == "" && w.missing != nil {
		*w.missing = append(*w.missing, id)
	}
	return text
}
