package web_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/narthex/narthex/internal/texts"
)

func TestEveryLanguageSaysTheSame(t *testing.T) {
	if err := texts.Compare(os.DirFS(".")); err != nil {
		t.Error(err)
	}
}

var (
	saidLiterally = regexp.MustCompile(`(?:Say|With|Count) "([a-z_]+)"|(?:Say|With|Count)\("([a-z_]+)"[,)]`)
	namedInCalls  = regexp.MustCompile(`(?:(?:notice|wait)\(c, [^,]+, |over\(c, [^,]+, |waiting\(t, )"([a-z_]+)"`)
)

func TestEveryTextThatIsAskedForExistsAndNoOther(t *testing.T) {
	content, err := os.ReadFile("texts/active.en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]any
	if err := yaml.Unmarshal(content, &texts); err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{"language_name": true}
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := fs.Glob(os.DirFS("."), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range saidLiterally.FindAllStringSubmatch(string(source), -1) {
				asked[m[1]+m[2]] = true
			}
			for _, m := range namedInCalls.FindAllStringSubmatch(string(source), -1) {
				for _, suffix := range suffixes(m[0]) {
					asked[m[1]+suffix] = true
				}
			}
		}
	}
	for id := range asked {
		if texts[id] == nil {
			t.Errorf("there is no text %q", id)
		}
	}
	for id := range texts {
		if !asked[id] {
			t.Errorf("nobody says %q", id)
		}
	}
}

func suffixes(call string) []string {
	if strings.HasPrefix(call, "waiting") {
		return []string{"_seconds", "_minutes", "_hours"}
	}
	return []string{"_title", "_lead"}
}
