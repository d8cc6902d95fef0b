package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/narthex/narthex/internal/web"
)

func TestExampleThemeIsSound(t *testing.T) {
	root, err := os.OpenRoot("theme-example")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := web.CheckTheme(root.FS()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"pages/layout.html", "static/brand.css", "static/logo.svg", "texts/nl.yaml"} {
		if _, err := fs.Stat(root.FS(), name); err != nil {
			t.Errorf("the example has no %s", name)
		}
	}
}

func TestThemeDocumentKnowsEveryTemplateAndColour(t *testing.T) {
	text := read(t, "theme.md")
	told := map[string]bool{}
	for _, row := range tableRows(text, 2) {
		for name := range strings.SplitSeq(row[0], ",") {
			told[strings.Trim(name, " `")] = true
		}
	}
	templates, err := filepath.Glob("../internal/web/templates/*.html")
	if err != nil || len(templates) == 0 {
		t.Fatal(templates, err)
	}
	for _, name := range templates {
		if !told[filepath.Base(name)] {
			t.Errorf("theme.md does not tell what %s is", filepath.Base(name))
		}
	}
	style := read(t, "../internal/web/assets/style.css")
	for name := range told {
		if strings.HasPrefix(name, "--") && !strings.Contains(style, name+":") {
			t.Errorf("the style sheet has no %s", name)
		}
	}
}

func TestTextsAndStylesOfTheThemeDocumentAreTaken(t *testing.T) {
	theme := fstest.MapFS{}
	for _, b := range blocks(t, "theme.md") {
		switch b.language {
		case "yaml":
			theme["texts/en.yaml"] = &fstest.MapFile{Data: []byte(b.text)}
		case "css":
			theme["static/brand.css"] = &fstest.MapFile{Data: []byte(b.text)}
		}
	}
	if len(theme) != 2 {
		t.Fatalf("the document shows %d files", len(theme))
	}
	if err := web.CheckTheme(theme); err != nil {
		t.Error(err)
	}
}
