package testenv

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserLimit bounds everything that one test does in its browser.
const browserLimit = 2 * time.Minute

// Browser is one tab of a headless Chromium with a profile of its own.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// NewBrowser starts Chromium, which must be installed: the test command sees to it.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium is installed: run ./testenv/test.sh, which installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &Browser{t: t, ctx: ctx}
	b.Do("start", chromedp.Navigate("about:blank")) // the first action must have no deadline: it would be the browser's
	return b
}

// Do runs actions and fails the test, with a screenshot, when one of them fails.
func (b *Browser) Do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	done := make(chan error, 1)
	go func() { done <- chromedp.Do(b.ctx, actions...) }()
	select {
	case err := <-done:
		if err != nil {
			b.Screenshot("failed")
			b.t.Fatalf("%s: %v", what, err)
		}
	case <-time.After(browserLimit):
		b.t.Fatalf("%s: nothing happens\n%s", what, b.Text("body"))
	}
}

// Text returns the text that a person sees in an element.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(selector))
	if err != nil {
		b.t.Errorf("text of %q: %v", selector, err)
	}
	return text
}

// Value returns what stands in a field.
func (b *Browser) Value(selector string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Value(selector))
	if err != nil {
		b.t.Errorf("value of %q: %v", selector, err)
	}
	return value
}

// Screenshot writes the whole page to NAME.png in the folder that the variable SCREENSHOTS names, if it is set.
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Logf("screenshot %s: %v", name, err)
	}
}
