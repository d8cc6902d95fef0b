package texts_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/narthex/narthex/internal/texts"
)

var builtin = files(map[string]string{
	"texts/active.en.yaml": "language_name: English\nhello: Hello\nbye: \"Good bye, {{.Name}}\"\nwait:\n  one: \"{{.Count}} second\"\n  other: \"{{.Count}} seconds\"\n",
	"texts/active.de.yaml": "language_name: Deutsch\nhello: Guten Tag\nbye: \"Auf Wiedersehen, {{.Name}}\"\nwait:\n  one: \"{{.Count}} Sekunde\"\n  other: \"{{.Count}} Sekunden\"\n",
})

func files(content map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range content {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestThemesTextsLieOverTheBuiltInOnes(t *testing.T) {
	theme := files(map[string]string{
		"texts/de.yaml":    "hello: Grüß Gott\n",
		"texts/de-AT.yaml": "bye: \"Servus, {{.Name}}\"\nelsewhere: Das sagt ein anderer Teil\n",
		"texts/fr.yaml":    "language_name: français\nwait: {one: \"{{.Count}} seconde\", many: \"{{.Count}} de secondes\", other: \"{{.Count}} secondes\"}\n",
	})
	s, err := texts.New(builtin, theme)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Locales(); !slices.Equal(got, []string{"en", "de", "de-AT", "fr"}) {
		t.Errorf("the languages are %v", got)
	}
	ada := map[string]any{"Name": "Ada"}
	for _, c := range []struct{ locale, id, want string }{
		{"en", "hello", "Hello"}, {"de", "hello", "Grüß Gott"}, {"de-AT", "hello", "Grüß Gott"}, {"de-AT", "bye", "Servus, Ada"},
		{"de", "bye", "Auf Wiedersehen, Ada"}, {"fr", "hello", "Hello"}, {"fr", "bye", "Good bye, Ada"}, {"de-AT", "elsewhere", ""},
		{"tlh", "hello", "Hello"}, {"de", "nothing", ""},
	} {
		if got := s.Say(c.locale, c.id, ada, nil); got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.id, c.locale, got, c.want)
		}
	}
	for n, want := range map[int]string{0: "0 seconde", 1: "1 seconde", 2: "2 secondes"} {
		if got := s.Say("fr", "wait", map[string]any{"Count": n}, n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestTheFirstWishThatFitsDecides(t *testing.T) {
	s, err := texts.New(builtin, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		wishes []string
		want   string
		found  bool
	}{
		{[]string{"de"}, "de", true}, {[]string{"", "de-CH"}, "de", true}, {[]string{"ja", "fr;q=0.9,de;q=0.8"}, "de", true},
		{[]string{"en-GB,de"}, "en", true}, {[]string{"ja"}, "en", false}, {nil, "en", false}, {[]string{";;;", "*"}, "en", false},
	} {
		if got, found := s.Match(c.wishes...); got != c.want || found != c.found {
			t.Errorf("%q: %s, %v", c.wishes, got, found)
		}
	}
}

func TestEveryFaultOfAThemesTextsIsToldAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		theme map[string]string
		want  []string
	}{
		"what nobody says": {map[string]string{"texts/de.yaml": "hello: x\nhelo: y\n"}, []string{`texts/de.yaml:2:1: helo: there is no such text; did you mean "hello"?`}},
		"values": {map[string]string{"texts/de.yaml": "hello: \"{{.Name}}\"\nbye: \"{{.Nmae}}\"\n"}, []string{
			"texts/de.yaml:1:1: hello: there is no value {{.Name}} for this text; it has none",
			"texts/de.yaml:2:1: bye: there is no value {{.Nmae}} for this text; it has {{.Name}}"}},
		"braces":               {map[string]string{"texts/de.yaml": "bye: \"{{printf .Name}}\"\n"}, []string{"texts/de.yaml:1:6: bye: braces stand here"}},
		"a plural of nothing":  {map[string]string{"texts/de.yaml": "hello: {one: x, other: y}\n"}, []string{"nothing is counted"}},
		"forms":                {map[string]string{"texts/de.yaml": "wait: {one: x, lots: y}\n"}, []string{`no plural form "lots"`, `the form "other" is missing`}},
		"no name":              {map[string]string{"texts/fr.yaml": "hello: Bonjour\n"}, []string{"texts/fr.yaml: the language has no name"}},
		"no language":          {map[string]string{"texts/french.yaml": "hello: Bonjour\n", "texts/de_AT.yaml": "hello: x\n"}, []string{"texts/french.yaml: the file is not named for a language", `texts/de_AT.yaml: the file is not named for a language; name it "de-AT.yaml"`}},
		"no YAML, and another": {map[string]string{"texts/de.yaml": "hello: [\n", "texts/en.yaml": "hello: [a]\n"}, []string{"texts/de.yaml:", "texts/en.yaml:1:"}},
		"too large":            {map[string]string{"texts/de.yaml": strings.Repeat("#\n", 200<<10)}, []string{"texts/de.yaml: the file has more than"}},
	} {
		_, err := texts.Check(files(c.theme), builtin)
		if err == nil {
			t.Errorf("%s: no fault", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want %q in:\n%v", name, want, err)
			}
		}
	}
}

func TestGapsOfANewLanguageAreTold(t *testing.T) {
	gaps, err := texts.Check(files(map[string]string{
		"texts/fr.yaml": "language_name: français\nhello: Bonjour\n", "texts/de-AT.yaml": "language_name: Österreichisch\n", "texts/de.yaml": "",
	}), builtin)
	if err != nil {
		t.Fatal(err)
	}
	if len(gaps) != 1 || !slices.Equal(gaps["fr"], []string{"bye", "wait"}) {
		t.Errorf("the gaps are %v", gaps)
	}
	if gaps, err := texts.Check(nil, builtin); err != nil || len(gaps) != 0 {
		t.Errorf("without a theme: %v, %v", gaps, err)
	}
}

func TestLanguagesThatDifferAreFound(t *testing.T) {
	if err := texts.Compare(builtin); err != nil {
		t.Error(err)
	}
	for _, german := range []string{"hello: x\n", "language_name: x\nhello: x\nbye: y\nwait: {one: \"{{.Count}}\", other: \"{{.Count}}\"}\n",
		"language_name: x\nhello: x\nbye: \"{{.Name}}\"\nwait: \"{{.Count}}\"\n", "language_name: x\nhello: x\nbye: \"{{.Name}}\"\nwait: {one: \"{{.Count}}\", other: \"{{.Count}}\"}\nmore: z\n"} {
		english, _ := fs.ReadFile(builtin, "texts/active.en.yaml")
		if texts.Compare(files(map[string]string{"texts/active.en.yaml": string(english), "texts/active.de.yaml": german})) == nil {
			t.Errorf("nothing is said about %q", german)
		}
	}
}

// FuzzCheck: whatever a theme's file holds, the check ends, and what it lets through can be read and said.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"", "hello: x", "hello: {one: a, other: b}", "bye: \"{{.Name}}\"", "a: &a b\nb: *a", "hello: \"{{\"", "\xff", "hello: |\n  x\n  {{.Name}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		theme := files(map[string]string{"texts/de.yaml": text})
		if _, err := texts.Check(theme, builtin); err != nil {
			return
		}
		s, err := texts.New(builtin, theme)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"hello", "bye", "wait"} {
			if said := s.Say("de", id, map[string]any{"Name": "Ada", "Count": 2}, 2); strings.Contains(said, "<no value>") {
				t.Errorf("%s is %q", id, said)
			}
		}
	})
}
