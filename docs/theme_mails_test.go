package docs_test

import (
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
