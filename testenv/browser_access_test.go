package testenv_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// TestEveryPageIsAccessibleInABrowser holds every state of the pages against the rules of axe-core: in both languages,
// light and dark, on a phone and on a desk; nothing has to be scrolled sideways, however small the window or large the
// letters, and what can be pressed is large enough.
func TestEveryPageIsAccessibleInABrowser(t *testing.T) {
	t.Parallel()
	g := newGallery(t, nil)
	for _, language := range []string{"en", "de"} {
		g.visit(language, func(state string) {
			name := language + "-" + state
			if got := testenv.Evaluate[string](g.Browser, "document.documentElement.lang"); got != language {
				t.Errorf("%s is in %q", name, got)
			}
			for _, look := range looks(language) {
				g.Prefers("prefers-color-scheme", look.scheme, "prefers-reduced-motion", "reduce")
				g.Size(look.width, 800)
				for _, found := range g.Axe(look.rules...) {
					t.Errorf("%s, %s, %d px: %s", name, look.scheme, look.width, found)
				}
				g.Screenshot(fmt.Sprintf("%s-%s-%d", name, look.scheme, look.width))
			}
			g.fits(name)
		})
	}
}

// look is a way to look at a page; rules are all unless some are named.
type look struct {
	scheme string
	width  int64
	rules  []string
}

// looks are all pairs of colours and width in one language, and half of them in another: only words differ there.
func looks(language string) []look {
	all := []look{{"light", 360, nil}, {"dark", 1100, nil}}
	if language == "en" || os.Getenv("SCREENSHOTS") != "" {
		all = append(all, look{"dark", 360, []string{"color-contrast", "target-size"}}, look{"light", 1100, []string{"color-contrast"}})
	}
	return all
}

// fits looks for what has to be scrolled sideways, and for what is too small to be pressed.
func (g *gallery) fits(name string) {
	g.t.Helper()
	for _, letters := range []string{"", "200%"} {
		testenv.Evaluate[string](g.Browser, "document.documentElement.style.fontSize = '"+letters+"'")
		width := int64(320)
		if letters != "" {
			width = 640
		}
		g.Size(width, 800)
		if wide := testenv.Evaluate[int64](g.Browser, "document.documentElement.scrollWidth"); wide > width {
			g.t.Errorf("%s is %d px wide in a window of %d px with letters of size %q", name, wide, width, letters)
		}
	}
	testenv.Evaluate[string](g.Browser, "document.documentElement.style.fontSize = ''")
	small := testenv.Evaluate[[]string](g.Browser, `[...document.querySelectorAll("a, button, input:not([type=hidden]), select")].filter(e => {
		const r = e.getBoundingClientRect(); return r.width < 24 || r.height < 24 }).map(e => e.outerHTML)`)
	if len(small) > 0 {
		g.t.Errorf("%s: too small to be pressed: %v", name, small)
	}
}
