package docs_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/narthex/narthex/internal/message"
)

// TestTheMailsInTheThemeDocumentAreMails gives the document's examples to the code that reads a theme's mails.
func TestTheMailsInTheThemeDocumentAreMails(t *testing.T) {
	theme, seen := fstest.MapFS{}, 0
	for _, b := range blocks(t, "theme.md") {
		at := slices.IndexFunc(b.marks, func(mark string) bool { return strings.HasPrefix(mark, "mails/") })
		if at < 0 {
			continue
		}
		theme[b.marks[at]] = &fstest.MapFile{Data: []byte(b.text)}
		seen++
	}
	if seen < 2 {
		t.Fatalf("the document has %d example mails", seen)
	}
	if err := message.CheckTheme(theme); err != nil {
		t.Error(err)
	}
}

func TestTheMailsOfTheExampleThemeAreSound(t *testing.T) {
	root, err := os.OpenRoot("theme-example")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := root.Stat("mails/nl/code.txt"); err != nil {
		t.Error(err)
	}
	if err := message.CheckTheme(root.FS()); err != nil {
		t.Error(err)
	}
}
