package testenv_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/narthex/narthex/testenv"
)

// keyboard is somebody who has no mouse.
type keyboard struct {
	*testenv.Browser
	t *testing.T
}

// enter types and presses Enter, and expects a status of the page that follows.
func (k keyboard) enter(text string, status int64) {
	k.t.Helper()
	if text != "" {
		k.Type(text)
	}
	got, err := testenv.Follow(k.Browser, testenv.Enter())
	if err != nil || got != status {
		k.t.Fatalf("Enter after %q leads to %d (%v), want %d:\n%s", text, got, err, status, k.Text("body"))
	}
	for _, found := range k.Axe() {
		k.t.Error(found)
	}
}

// focused expects the keyboard at an element.
func (k keyboard) focused(selector string) {
	k.t.Helper()
	if !testenv.Evaluate[bool](k.Browser, "document.activeElement.matches('"+selector+"')") {
		k.t.Fatalf("the keyboard is at %s, want %s", testenv.Evaluate[string](k.Browser, "document.activeElement.outerHTML"), selector)
	}
}

// described returns what a screen reader says about the field that has the keyboard.
func (k keyboard) described() string {
	k.t.Helper()
	return testenv.Evaluate[string](k.Browser, `(document.activeElement.getAttribute("aria-describedby") || "").split(" ").filter(Boolean).map(id => document.getElementById(id).innerText).join(" ")`)
}

// TestAPersonRegistersByKeyboardInABrowser goes the whole way with Tab and Enter, in German and in the theme that the
// documentation shows, and makes every mistake once.
func TestAPersonRegistersByKeyboardInABrowser(t *testing.T) {
	t.Parallel()
	s := testenv.Start(t, cheapHash, "NARTHEX_LOGIN_URL=http://127.0.0.1:9/login", "NARTHEX_THEME_DIR=../docs/theme-example")
	k := keyboard{testenv.NewBrowser(t), t}
	k.Wishes("de-AT,de;q=0.9,en;q=0.5")
	k.Size(360, 800)
	k.Go(s.URL + "/")
	k.Screenshot("theme-1-intro")
	if text := k.Text("main"); !strings.Contains(text, "Konto erstellen") || !strings.Contains(text, "Mit einem Konto benutzen Sie die Bibliothek") {
		t.Errorf("the first page says: %s", text)
	}
	k.Press(kb.Tab)
	k.focused("button.primary")
	k.enter("", 200)

	k.focused("[name=email]")
	everyStopShows(k)
	k.Go(s.URL + "/register/standard")
	k.enter("", 422)
	k.focused(".summary[role=alert]")
	k.Screenshot("theme-2-violations")
	if text := k.Text(".summary"); !strings.Contains(text, "E-Mail-Adresse: Bitte füllen Sie dieses Feld aus.") || !strings.Contains(text, "Familienname: ") {
		t.Errorf("the summary says: %s", text)
	}
	k.Press(kb.Tab)
	k.focused(".summary a")
	k.Do("follow a link within the page", testenv.Enter())
	k.focused("[name=email][aria-invalid=true]")
	if got := k.described(); got != "Bitte füllen Sie dieses Feld aus." {
		t.Errorf("the field is described by %q", got)
	}
	k.Type("jörg")
	k.Press(kb.Tab)
	k.Type("Jörg")
	k.Press(kb.Tab)
	k.enter("Müller-Lüdenscheidt", 422)
	k.focused(".summary")
	k.Press(kb.Tab)
	k.Do("follow a link within the page", testenv.Enter())
	k.focused("[name=email]")
	testenv.Evaluate[bool](k.Browser, "document.activeElement.select(), true")
	k.enter("joerg@example.org", 200)

	k.focused("[name=code][autocomplete=one-time-code][inputmode=numeric]")
	k.enter("00000000", 422)
	k.focused("[name=code][aria-invalid=true]")
	if got := k.described(); !strings.Contains(got, "Der Code ist falsch. Sie haben noch 4 Versuche.") {
		t.Errorf("the field is described by %q", got)
	}
	code, err := s.Code("joerg@example.org")
	if err != nil {
		t.Fatal(err)
	}
	k.enter(code, 200)

	k.focused("[name=password][autocomplete=new-password]")
	if got := testenv.Evaluate[string](k.Browser, `document.querySelector("form input[autocomplete=username]").value`); got != "joerg@example.org" {
		t.Errorf("password managers would keep it for %q", got)
	}
	k.enter("kurz", 422)
	k.focused("[name=password][aria-invalid=true]")
	k.Screenshot("theme-3-password")
	k.enter("ein langer und privater Satz", 200)
	if text := k.Text("main"); !strings.Contains(text, "Willkommen an der Example University") {
		t.Errorf("the last page says: %s", text)
	}
	k.Screenshot("theme-4-done")
	k.Press(kb.Tab)
	k.focused(`a.button[href="http://127.0.0.1:9/login"]`)
	if r, err := testenv.NewClient(s.URL).Login("joerg@example.org", "ein langer und privater Satz"); err != nil || r.Status != 200 {
		t.Errorf("login: %d %s %v", r.Status, r.Raw, err)
	}
}

// everyStopShows walks once around the page with Tab: every control is reached, in the page's order, and shows that it
// has the keyboard; nothing moves for who wants no motion.
func everyStopShows(k keyboard) {
	k.t.Helper()
	const controls = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]):not([tabindex='-1']), select")]`
	k.Prefers("prefers-reduced-motion", "reduce")
	if moving := testenv.Evaluate[[]string](k.Browser, controls+`.filter(e => getComputedStyle(e).transitionDuration !== "0s").map(e => e.outerHTML)`); len(moving) > 0 {
		k.t.Errorf("these move: %v", moving)
	}
	n := testenv.Evaluate[int](k.Browser, controls+".length")
	var stops []int
	for range n {
		stops = append(stops, testenv.Evaluate[int](k.Browser, controls+".indexOf(document.activeElement)"))
		if !testenv.Evaluate[bool](k.Browser, `(s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))`) {
			k.t.Errorf("nothing shows that the keyboard is at %s", testenv.Evaluate[string](k.Browser, "document.activeElement.outerHTML"))
		}
		k.Press(kb.Tab)
	}
	if !slices.IsSorted(stops) || stops[0] != 0 || stops[n-1] != n-1 {
		k.t.Errorf("of %d controls Tab reaches %v", n, stops)
	}
}
