package testenv

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browserLimit bounds everything that one test does in its browser.
const browserLimit = 2 * time.Minute

// Browser is one tab of a headless Chromium with cookies of its own.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// chromium is the one browser process of a test run; starting it takes longer than most tests.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// NewBrowser opens a tab in Chromium, which must be installed: the test command sees to it.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	chromium.once.Do(func() { chromium.err = startChromium() })
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &Browser{t: t, ctx: ctx}
	b.Do("open a tab", chromedp.Navigate("about:blank")) // the first action must have no deadline: it would be the tab's
	return b
}

// CloseBrowser ends what NewBrowser started; call it at the end of TestMain.
func CloseBrowser() {
	if chromium.stop != nil {
		chromium.stop()
	}
}

func startChromium() error {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return errors.New("no Chromium is installed: run ./testenv/test.sh, which installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocated, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	chromium.ctx, chromium.stop = ctx, func() { cancel(); cancelAllocator() }
	return chromedp.Do(ctx, chromedp.Navigate("about:blank")) // no deadline: it would be the browser's
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
		b.t.Fatalf("%s: nothing happens", what)
	}
}

// Go opens an address and waits until the page is there.
func (b *Browser) Go(address string) {
	b.t.Helper()
	b.Do("open "+address, chromedp.Navigate(address), chromedp.WaitReady("body"))
}

// Press presses keys, such as those of package kb.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.Do("press keys", chromedp.KeyEvent(keys))
}

// Enter is the Enter key as a keyboard sends it: one event that carries its character. Two would press what the first has
// moved to.
func Enter() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13}
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, key); err != nil {
			return err
		}
		key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, key)
		return err
	})
}

// Type enters text where the keyboard is, in any script.
func (b *Browser) Type(text string) {
	b.t.Helper()
	b.Do("type", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
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

// Evaluate returns what a script says about the page. The pages' policy does not bind it.
func Evaluate[T any](b *Browser, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluate %.60q: %v", script, err)
	}
	return value
}

// Wishes sets what the browser sends as Accept-Language.
func (b *Browser) Wishes(language string) {
	b.t.Helper()
	b.Do("wish a language", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
		return err
	}))
}

// Prefers sets media features, such as prefers-color-scheme, to values: names and values by turns.
func (b *Browser) Prefers(pairs ...string) {
	b.t.Helper()
	var features []*emulation.MediaFeature
	for i := 0; i+1 < len(pairs); i += 2 {
		features = append(features, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	b.Do("set preferences", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	}))
}

// Size sets the size of the window in CSS pixels.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	b.Do("set the size", chromedp.EmulateViewport(width, height))
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

// Follow does something that leads to another page, waits for that page and returns its status.
func Follow(b *Browser, action chromedp.Action[chromedp.Void]) (int64, error) {
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	r, err := chromedp.RunResponse(ctx, action)
	if err != nil {
		return 0, err
	}
	return r.Status, nil
}
