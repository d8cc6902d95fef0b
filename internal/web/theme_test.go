package web_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/internal/web"
)

func themeOf(files map[string]string) fstest.MapFS {
	theme := fstest.MapFS{}
	for name, content := range files {
		theme[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return theme
}

func dressed(theme fs.FS) func(*web.Options) { return func(o *web.Options) { o.Theme = theme } }

// builtinPage is a built-in template with something replaced.
func builtinPage(t *testing.T, name, old, by string) string {
	t.Helper()
	content, err := os.ReadFile("templates/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), old) {
		t.Fatalf("%s has no %q", name, old)
	}
	return strings.Replace(string(content), old, by, 1)
}

func TestThemeReplacesWhatHasTheSameName(t *testing.T) {
	p := visit(t, &flowtest.Engine{}, dressed(themeOf(map[string]string{
		"pages/layout.html": builtinPage(t, "layout.html", `<div class="card">`, `<img src="{{.Static "logo.svg"}}" alt="Example"><div class="card">`),
		"style.css":         "body { background: url(static/deep/er/paper.png) }",
		"static/logo.svg":   `<svg xmlns="http://www.w3.org/2000/svg"/>`, "static/deep/er/paper.png": "PNG",
		"texts/en.yaml":    "intro_button: Let us begin\n",
		"texts/fr.yaml":    "language_name: français\nintro_button: Commencer\n",
		"texts/ar.yaml":    "language_name: العربية\nintro_button: ابدأ\n",
		"README.md":        "ours",
		"static/.DS_Store": "x", ".git/config": "x",
	})))
	intro := p.open(flowPath).must(200, flowPath, "Let us begin", `alt="Example"`)
	logo := regexp.MustCompile(`src="(/assets/[0-9a-f]{12}/static/logo.svg)"`).FindStringSubmatch(intro.text)
	if logo == nil {
		t.Fatalf("the page does not show the logo: %s", intro.text)
	}
	folder := strings.TrimSuffix(logo[1], "static/logo.svg")
	for path, want := range map[string]string{logo[1]: "image/svg+xml", folder + "style.css": "text/css; charset=utf-8", folder + "static/deep/er/paper.png": "image/png", folder + "icon.svg": "image/svg+xml"} {
		if a := p.open(path); a.status != 200 || a.header.Get("Content-Type") != want || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	for _, path := range []string{"static/.DS_Store", "README.md", "texts/en.yaml", "pages/layout.html", "static/", "static/../style.css", "static/%2e%2e/README.md", "static/deep%2fer/paper.png"} {
		if a := p.open(folder + path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	p.press(intro, "français").must(200, flowPath, `<html lang="fr" dir="ltr">`, "Commencer", "Creating an account takes")
	p.wishing("/nothing", "ar").must(404, "/nothing", `<html lang="fr"`)
	p.client.Jar = nil
	p.wishing(flowPath, "ar").must(200, flowPath, `<html lang="ar" dir="rtl">`)
	if got := strings.Count(p.log.String(), "the theme's language lacks texts"); got != 2 {
		t.Errorf("the log names %d incomplete languages: %s", got, p.log)
	}
}

func TestFolderOfAssetsIsNamedByTheirContent(t *testing.T) {
	folder := func(style string) string {
		p := visit(t, &flowtest.Engine{}, dressed(themeOf(map[string]string{"style.css": style})))
		return regexp.MustCompile(`/assets/([0-9a-f]{12})/style.css`).FindString(p.open(flowPath).text)
	}
	if first, again, other := folder("a{}"), folder("a{}"), folder("b{}"); first != again || first == other {
		t.Error("the path does not follow the content")
	}
}

func TestEveryFaultOfAThemeIsToldAtOnce(t *testing.T) {
	large := strings.Repeat("x", 1<<20+1)
	many := map[string]string{}
	for i := range 201 {
		many["static/"+strings.Repeat("a", i+1)+".png"] = ""
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"mistyped names": {map[string]string{"pages/stepp.html": "", "styles.css": "", "text/de.yaml": "", "texts/de.yml": "", "texts/x/de.yaml": ""}, []string{
			`pages/stepp.html: nothing reads this file; did you mean "pages/step.html"?`, `styles.css: nothing reads this file; did you mean "style.css"?`,
			"text/de.yaml: nothing reads", "texts/de.yml: this is no file of texts", "texts/x/de.yaml: this is no file of texts"}},
		"kinds and sizes": {map[string]string{"static/app.js": "", "static/index.html": "", "static/big.png": large, "static/a b.png": ""}, []string{
			"static/app.js: files of this kind are not served", "static/index.html: files of this kind", "static/big.png: the file has more than", "static/a b.png: the name has characters"}},
		"too many": {many, []string{"more than 200 files"}},
		"too deep": {map[string]string{"static/a/b/c/d/e/f.png": ""}, []string{"static/a/b/c/d: folders stand too deep"}},
		"templates": {map[string]string{"pages/intro.html": "{{template \"head\" .}}\n{{.Nonsense}}{{template \"foot\" .}}", "pages/over.html": "\n\n{{if}}", "pages/notice.html": "{{template \"nobody\"}}"}, []string{
			"pages/over.html:3:1: missing value for if"}},
		"values that are not there": {map[string]string{"pages/intro.html": "{{template \"head\" .}}\n{{.Nonsense}}{{template \"foot\" .}}", "pages/notice.html": "{{template \"nobody\"}}"}, []string{
			"pages/intro.html:2:1:", "Nonsense", "pages/notice.html:1:1:", "nobody"}},
		"texts that are not there": {map[string]string{"pages/over.html": `{{template "head" .}}<form method="post" action="/register/{{.Flow}}">{{.T.Say "nope"}}</form>{{template "foot" .}}`}, []string{`pages/over.html: there is no text "nope"`}},
		"values that are left out": {map[string]string{"pages/over.html": `{{template "head" .}}<form method="post" action="/register/{{.Flow}}">{{.T.Say "hint_between"}}</form>{{template "foot" .}}`}, []string{"pages/over.html: a text has a place for a value"}},
		"files that are not there": {map[string]string{"pages/over.html": "\n{{.Static \"logo.svg\"}}"}, []string{"pages/over.html:2:1:", "the theme has no file static/logo.svg"}},
		"what the policy forbids": {map[string]string{
			"pages/layout.html": builtinPage(t, "layout.html", "</head>", "<script src=\"/x.js\"></script>\n<style>a{}</style>\n<link rel=\"stylesheet\" href=\"https://cdn.example/x.css\">\n<base href=\"/\"></head>"),
			"pages/intro.html":  "{{template \"head\" .}}<form method=\"post\"\n action=\"/register/{{.Flow}}\">\n<p style=\"color: red\" onclick=\"x()\"><img src=\"data:image/png;base64,x\"><a href=\"javascript:x()\">{{.T.Say \"once\"}}</a></form>{{template \"foot\" .}}",
			"style.css":         "a{}\n@import \"//evil.example/x.css\";\nb { background: url('https://evil.example/x.png') }"}, []string{
			"pages/layout.html:11:1: <script> has no effect", "pages/layout.html:12:1: <style> has no effect", "pages/layout.html:13:1: the href of <link> is not loaded", "pages/layout.html:14:1: <base>",
			"pages/intro.html:3:1: the attribute style", "pages/intro.html:3:1: the attribute onclick", "pages/intro.html:3:1: the src of <img>", "pages/intro.html:3:1: the href is a script",
			"style.css:2:1: this loads something", "style.css:3:1: this loads something"}},
		"pages that nobody could use": {map[string]string{
			"pages/layout.html": builtinPage(t, "layout.html", ` lang="{{.T.Lang}}"`, ""),
			"pages/step.html":   "{{template \"head\" .}}<form method=\"get\" action=\"/register/{{.Flow}}/steps/{{.Name}}\">{{range .Fields}}{{if ne .Name \"email\"}}<input name=\"{{.Name}}\">{{end}}{{end}}</form>{{template \"foot\" .}}",
			"pages/intro.html":  "{{template \"head\" .}}{{template \"foot\" .}}"}, []string{
			"the page does not say its language", `pages/step.html: the page has no field for "email"`, `pages/step.html: the field "code" has no label`,
			"pages/step.html: the page has no form that is posted to /register/standard/steps/about-you", "pages/intro.html: the page has no form"}},
		"a page without end": {map[string]string{"pages/over.html": `{{range .Languages}}{{range $.Languages}}{{range $.Languages}}{{range $.Languages}}` + strings.Repeat("x", 50<<10) + `{{end}}{{end}}{{end}}{{end}}`}, []string{"pages/over.html: the page is longer than"}},
		"texts":              {map[string]string{"texts/de.yaml": "intro_buton: x\n", "texts/en.yaml": "label_email: \"{{.X}}\"\n"}, []string{`texts/de.yaml:1:1: intro_buton: there is no such text; did you mean "intro_button"?`, "texts/en.yaml:1:1: label_email:"}},
	} {
		err := web.CheckTheme(themeOf(c.files))
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

func TestBuiltInTemplatesWouldPassAsATheme(t *testing.T) {
	files := map[string]string{}
	for _, pattern := range []string{"templates/*.html", "assets/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[strings.Replace(strings.Replace(name, "templates/", "pages/", 1), "assets/", "", 1)] = string(content)
		}
	}
	if len(files) < 8 {
		t.Fatalf("only %d files were found", len(files))
	}
	for _, lang := range []string{"en", "de"} {
		content, err := os.ReadFile("texts/active." + lang + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		files["texts/"+lang+".yaml"] = string(content)
	}
	if err := web.CheckTheme(themeOf(files)); err != nil {
		t.Error(err)
	}
}

func TestThemeCannotReachOutOfItsFolder(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret.png")
	for _, err := range []error{
		os.WriteFile(outside, []byte("hunter2"), 0o600), os.MkdirAll(filepath.Join(dir, "static", "real"), 0o700),
		os.WriteFile(filepath.Join(dir, "static", "real", "a.png"), []byte("A"), 0o600), os.Symlink(filepath.Join("real", "a.png"), filepath.Join(dir, "static", "inside.png")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := web.CheckTheme(root.FS()); err != nil {
		t.Errorf("a link within the folder: %v", err)
	}
	for name, target := range map[string]string{"static/out.png": outside, "static/up.png": "../../../../../../etc/hostname", "style.css": outside, "texts": filepath.Dir(outside)} {
		link := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if err := web.CheckTheme(root.FS()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s -> %s: %v", name, target, err)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzCheckTheme: whatever stands in a theme's files, the check ends, and what it lets through can be shown.
func FuzzCheckTheme(f *testing.F) {
	for _, seed := range []string{"", "{{", "{{template \"head\" .}}", "<script>", "{{range .Languages}}{{.}}{{end}}", "<p x={{.Title}}>", "<a href='{{.Title}}' on", "{{define \"foot\"}}{{end}}", "\xff<"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, pageText, style string) {
		theme := themeOf(map[string]string{"pages/notice.html": pageText, "style.css": style})
		if web.CheckTheme(theme) != nil {
			return
		}
		p := visit(t, &flowtest.Engine{}, dressed(theme))
		answer, err := p.client.Get(p.base + "/nothing")
		if err != nil {
			t.Fatal(err)
		}
		if _ = answer.Body.Close(); answer.StatusCode != http.StatusNotFound || answer.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("a theme that passes shows %d", answer.StatusCode)
		}
	})
}
