package texts

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Set is the texts of one part of the program in every language. A text that a language lacks is said in English.
type Set struct {
	locales    []string
	matcher    language.Matcher
	localizers map[string]*i18n.Localizer
	// plain has the texts without values in them, by locale and id: most are, and need no work.
	plain map[string]map[string]string
}

// English is the language that everything falls back to.
const English = "en"

// New reads the built-in texts (texts/active.<locale>.yaml) and puts the theme's (texts/<locale>.yaml) over them. Ids of
// the theme that the built-in English texts do not have are another part's and are left out: see Check. A theme's
// regional language (de-AT) begins with what its base language (de) says. theme may be nil.
func New(builtin, theme fs.FS) (*Set, error) {
	own, err := builtinFiles(builtin)
	if err != nil {
		return nil, err
	}
	english, ok := own[English]
	if !ok {
		return nil, errors.New("read texts: there are none in English")
	}
	themed, err := themeFiles(theme)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]message{}
	for locale, f := range own {
		all[locale] = f.texts
	}
	for _, locale := range byLength(themed) { // a base language before its regions
		says := map[string]message{}
		maps.Copy(says, all[base(locale)])
		maps.Copy(says, all[locale])
		for id, m := range themed[locale].texts {
			if _, ours := english.texts[id]; ours {
				says[id] = m
			}
		}
		all[locale] = says
	}
	return newSet(all)
}

func newSet(all map[string]map[string]message) (*Set, error) {
	s := &Set{localizers: map[string]*i18n.Localizer{}, plain: map[string]map[string]string{}}
	bundle := i18n.NewBundle(language.English)
	s.locales = slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		if (a == English) != (b == English) {
			return map[bool]int{true: -1, false: 1}[a == English]
		}
		return strings.Compare(a, b)
	})
	var tags []language.Tag
	for _, locale := range s.locales {
		tag, err := language.Parse(locale)
		if err != nil {
			return nil, fmt.Errorf("read texts: %q is no language: %w", locale, err)
		}
		tags = append(tags, tag)
		s.plain[locale] = map[string]string{}
		var messages []*i18n.Message
		for id, m := range all[locale] {
			messages = append(messages, m.forI18n(id))
			if m.isPlain() {
				s.plain[locale][id] = m.forms[formOther]
			}
		}
		if err := bundle.AddMessages(tag, messages...); err != nil {
			return nil, fmt.Errorf("read texts of %s: %w", locale, err)
		}
	}
	for _, locale := range s.locales {
		s.localizers[locale] = i18n.NewLocalizer(bundle, locale)
	}
	s.matcher = language.NewMatcher(tags)
	return s, nil
}

// Locales lists the languages, English first.
func (s *Set) Locales() []string { return slices.Clone(s.locales) }

// Has tells whether there are texts in exactly this language.
func (s *Set) Has(locale string) bool { return slices.Contains(s.locales, locale) }

// Match returns the language that fits the first of the wishes (a BCP 47 tag, or the value of an Accept-Language header)
// that any fits, and false when none does; it is English then.
func (s *Set) Match(wishes ...string) (locale string, found bool) {
	for _, wish := range wishes {
		if s.Has(wish) {
			return wish, true
		}
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, confidence := s.matcher.Match(tags...); confidence != language.No {
			return s.locales[i], true
		}
	}
	return English, false
}

// Say returns a text, with values in it where it has places for them, and "" when nobody wrote it. count decides between
// singular and plural; nil where nothing is counted.
func (s *Set) Say(locale, id string, data map[string]any, count any) string {
	if text, ok := s.plain[locale][id]; ok {
		return text
	}
	l, ok := s.localizers[locale]
	if !ok {
		l = s.localizers[English]
	}
	// An error next to a text means that it had to be taken from English.
	text, _ := l.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data, PluralCount: count})
	return text
}

// base returns "de" for "de-AT".
func base(locale string) string {
	tag, err := language.Parse(locale)
	if err != nil {
		return ""
	}
	b, _ := tag.Base()
	return b.String()
}

func byLength(files map[string]file) []string {
	return slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
}
