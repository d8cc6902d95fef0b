package message_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/message"
)

// theme makes a theme of names and contents.
func theme(files map[string]string) fstest.MapFS {
	fs := fstest.MapFS{}
	for name, content := range files {
		fs[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fs
}

// sendOne returns the letter that somebody gets who wishes for a language.
func sendOne(t *testing.T, w *world, wish string) message.Letter {
	t.Helper()
	v := verification()
	v.Locale = wish
	w.Enqueue(w.commit(t, v))
	before := len(w.transport.got())
	run(t, w, time.Second)
	got := w.transport.got()
	if len(got) != before+1 {
		t.Fatalf("%d letters, log %s", len(got)-before, w.log)
	}
	return got[before]
}

func dressed(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := build(t)
	r, err := message.NewRenderer(theme(files))
	if err != nil {
		t.Fatal(err)
	}
	w.cfg.Renderer = r
	w.Queue = message.New(w.cfg)
	return w
}

func TestPeopleAreWrittenToInTheirLanguage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		for wish, greeting := range map[string]string{"de": "Guten Tag", "de-AT": "Guten Tag", "fr, de;q=0.5": "Guten Tag", "en-GB": "Hello", "fr": "Hello", "": "Hello"} {
			for _, taken := range []bool{false, true} {
				w.taken.Store(taken)
				if l := sendOne(t, w, wish); !strings.HasPrefix(l.Text, greeting) || !strings.Contains(l.HTML, greeting) {
					t.Errorf("who wishes for %q gets %q", wish, l.Text)
				}
			}
		}
	})
}

// used are the values that a template uses.
var used = regexp.MustCompile(`\{\{(?:if )?(\.[A-Za-z]+)`)

func TestEveryLanguageHasTheSameMailsWithTheSameValues(t *testing.T) {
	locales, err := os.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"code.txt", "code.html", "notice.txt", "notice.html"} {
		values := func(locale string) []string {
			content, err := os.ReadFile(filepath.Join("templates", locale, kind))
			if err != nil {
				t.Errorf("%s: %v", locale, err)
			}
			var all []string
			for _, found := range used.FindAllStringSubmatch(string(content), -1) {
				all = append(all, found[1])
			}
			return all
		}
		for _, l := range locales {
			if l.IsDir() && !slices.Equal(values(l.Name()), values("en")) {
				t.Errorf("%s of %s uses %q, in English %q", kind, l.Name(), values(l.Name()), values("en"))
			}
		}
	}
}

func TestAThemeReplacesMailsAndAddsLanguages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := dressed(t, map[string]string{
			"mails/letter.html":     `{{define "letter"}}<html lang="{{.Locale}}"><h1>Example Society</h1>{{template "html" .}}</html>{{end}}`,
			"mails/de/code.txt":     `{{define "subject"}}Willkommen{{end}}{{define "text"}}Servus! {{.Code}}{{end}}`,
			"mails/fr/code.txt":     `{{define "subject"}}Votre code{{end}}{{define "text"}}Bonjour {{.Code}}{{end}}`,
			"mails/fr/code.html":    `{{define "html"}}<p>Bonjour {{.Code}}</p>{{end}}`,
			"mails/fr/notice.txt":   `{{define "subject"}}Déjà là{{end}}{{define "text"}}Bonjour{{end}}`,
			"mails/fr/notice.html":  `{{define "html"}}<p>Bonjour</p>{{end}}`,
			"mails/fr-CA/code.txt":  `{{define "subject"}}Votre code{{end}}{{define "text"}}Allo {{.Code}}{{end}}`,
			"mails/.hidden":         "x",
			"mails/README.md":       "how we write",
			"mails/de/.code.txt.sw": "x",
			"pages/step.html":       "another package's",
		})
		for wish, want := range map[string][2]string{"de": {"Servus", "Guten Tag"}, "fr": {"Bonjour", "Bonjour"}, "fr-CA": {"Allo", "Bonjour"}, "en": {"Hello", "Hello"}, "it": {"Hello", "Hello"}} {
			l := sendOne(t, w, wish)
			if !strings.HasPrefix(l.Text, want[0]) || !strings.Contains(l.HTML, want[1]) || !strings.Contains(l.HTML, "<h1>Example Society</h1>") {
				t.Errorf("who wishes for %q gets %q and %.300q", wish, l.Text, l.HTML)
			}
		}
	})
}

func TestWhatIsWrongWithAThemeIsToldAtTheStartAndAllAtOnce(t *testing.T) {
	const subject, text, html = `{{define "subject"}}s{{end}}`, `{{define "text"}}{{.Code}}{{end}}`, `{{define "html"}}{{.Code}}{{end}}`
	const txt, htm = "mails/de/code.txt", "mails/de/code.html"
	for name, c := range map[string]struct {
		file, content string
		want          string // "file:line problem"
	}{
		"it cannot be parsed":             {txt, subject + "\n\n{{define \"text\"}}{{if}}{{end}}", txt + ":3"},
		"it has no subject":               {txt, text, txt + ` there is no "subject"`},
		"it has no text":                  {txt, subject, txt + ` there is no "text"`},
		"it has no HTML":                  {htm, "<p>{{.Code}}</p>", htm + ` there is no "html"`},
		"it names what is not there":      {htm, "\n" + `{{define "html"}}{{.Code}}{{.Password}}{{end}}`, htm + ":2"},
		"it fails without a login page":   {txt, subject + `{{define "text"}}{{.Code}}{{if not .LoginURL}}{{.Nothing}}{{end}}{{end}}`, txt + ":1"},
		"it calls itself for ever":        {txt, subject + `{{define "text"}}{{.Code}}{{template "text" .}}{{end}}`, txt + " it is longer"},
		"it goes on and on":               {htm, `{{define "html"}}{{.Code}}{{range 1000000000}}x{{end}}{{end}}`, htm + " it is longer"},
		"HTML in it cannot be made safe":  {htm, `{{define "html"}}{{.Code}}<a href='{{if .Code}}"{{end}}>{{end}}`, htm + " html/template"},
		"the subject has two lines":       {txt, `{{define "subject"}}a` + "\n" + `b{{end}}` + text, txt + " the subject is not one line"},
		"the subject is empty":            {txt, `{{define "subject"}} {{end}}` + text, txt + " the subject is not one line"},
		"a mail without its code":         {txt, subject + `{{define "text"}}x{{end}}`, txt + " the code is not in it"},
		"HTML without its code":           {htm, `{{define "html"}}x{{end}}`, htm + " the code is not in it"},
		"a code for the owner of another": {"mails/de/notice.txt", subject + text, "mails/de/notice.txt there is a code"},
		"a language that lacks mails":     {"mails/fr/code.txt", subject + text, "mails/fr/notice.html the file is missing"},
		"a folder that is no language":    {"mails/german/code.txt", "x", "mails/german the folder is not named for a language"},
		"a name that is mistyped":         {"mails/de/code.htm", html, `mails/de/code.htm nothing reads this file "code.html"`},
		"a file beside the languages":     {"mails/leter.html", "x", `mails/leter.html nothing reads this file "letter.html"`},
		"the frame":                       {"mails/letter.html", `{{define "letter"}}`, "mails/letter.html:1"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := message.NewRenderer(theme(map[string]string{c.file: c.content, "mails/en/extra.txt": "x"}))
			var faults config.Faults
			if r != nil || !errors.As(err, &faults) {
				t.Fatalf("NewRenderer = %v, %v", r, err)
			}
			where, problem, _ := strings.Cut(c.want, " ")
			problem, fix, _ := strings.Cut(problem, ` "`)
			if strings.HasPrefix(problem, "there is no") {
				problem, fix = strings.TrimPrefix(c.want, where+" "), ""
			}
			both := 0
			for _, f := range faults {
				at := f.File
				if f.Line > 0 {
					at += ":" + string(rune('0'+f.Line))
				}
				if at == where && strings.Contains(f.Problem, problem) && strings.Contains(f.Fix, strings.TrimSuffix(fix, `"`)) && f.Fix != "" || f.File == "mails/en/extra.txt" {
					both++
				}
			}
			if both < 2 {
				t.Errorf("faults:\n%v\nwant %s and that of mails/en/extra.txt", err, c.want)
			}
		})
	}
}

func TestTheBuiltInMailsAreFaultless(t *testing.T) {
	for _, files := range []fstest.MapFS{nil, {}, theme(map[string]string{"style.css": "p{}"})} {
		if err := message.CheckTheme(files); err != nil {
			t.Error(err)
		}
	}
}
