package testenv_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/narthex/narthex/testenv"
)

var eightDigits = regexp.MustCompile(`\b\d{8}\b`)

// TestAPersonRegistersInABrowser walks the pages as somebody would who mistypes the address first: the page is filled in
// and clicked through, the code is read from the development mailbox, and the new account logs in.
func TestAPersonRegistersInABrowser(t *testing.T) {
	t.Parallel()
	s := testenv.Start(t, cheapHash, "NARTHEX_LOGIN_URL=http://127.0.0.1:9/login")
	b := testenv.NewBrowser(t)

	b.Do("open", chromedp.EmulateViewport(420, 800), chromedp.Navigate(s.URL+"/"), chromedp.WaitVisible("main"))
	b.Screenshot("1-intro")
	b.Do("begin", chromedp.Click("button.primary"), chromedp.WaitVisible("[name=email]"))
	b.Screenshot("2-about-you")

	fill := func(email string) {
		b.Do("fill in", chromedp.Clear("[name=email]"), chromedp.SendKeys("[name=email]", email),
			chromedp.Clear("[name=given_name]"), chromedp.SendKeys("[name=given_name]", "Zoë <b>"),
			chromedp.Clear("[name=family_name]"), chromedp.SendKeys("[name=family_name]", "O'Hara & Söhne"),
			chromedp.Click("button.primary"), chromedp.WaitVisible("[name=code]"))
	}
	fill("zoe@exmaple.org")
	b.Screenshot("3-verify")
	b.Do("change the address", chromedp.Click(`form[action$="/change"] button`), chromedp.WaitVisible("[name=email]"))
	fill("zoe@example.org")

	b.Do("enter a wrong code", chromedp.SendKeys("[name=code]", "00000000"), chromedp.Click("button.primary"), chromedp.WaitVisible(".summary, [role=alert], [aria-invalid]"))
	b.Screenshot("4-wrong-code")
	if text := b.Text("main"); !strings.Contains(text, "4 tries left") || !strings.Contains(text, "z…@example.org") {
		t.Errorf("after a wrong code the page says: %s", text)
	}

	code := readCode(t, s, b, "zoe@example.org")
	b.Do("enter the code", chromedp.Navigate(s.URL+"/register/standard"), chromedp.WaitVisible("[name=code]"),
		chromedp.SendKeys("[name=code]", code), chromedp.Click("button.primary"), chromedp.WaitVisible("[name=password]"))
	b.Screenshot("5-password")
	b.Do("choose a guessable password", chromedp.SendKeys("[name=password]", "passwordpassword"), chromedp.Click("button.primary"), chromedp.WaitVisible("[aria-invalid]"))
	b.Screenshot("6-guessable")
	if left := b.Value("[name=password]"); left != "" {
		t.Error("the page gives a password back")
	}
	b.Do("choose a password", chromedp.SendKeys("[name=password]", "a long and private sentence"), chromedp.Click("button.primary"), chromedp.WaitVisible(`a[href="http://127.0.0.1:9/login"]`))
	b.Do("look at the wide page", chromedp.EmulateViewport(1100, 800))
	b.Screenshot("7-done")
	page := b.Text("main")
	name := regexp.MustCompile(`u[0-9a-z]{11}`).FindString(page)
	if name == "" || !strings.Contains(page, "Your account is ready") {
		t.Fatalf("the last page says: %s", page)
	}
	for _, id := range []string{"ZOE@example.org", name} {
		if r, err := testenv.NewClient(s.URL).Login(id, "a long and private sentence"); err != nil || r.Status != 200 || r.Account.Username != name {
			t.Errorf("login as %s: %d %s %v", id, r.Status, r.Raw, err)
		}
	}
	b.Do("reload", chromedp.Navigate(s.URL+"/register/standard"))
	if again := b.Text("main"); !strings.Contains(again, name) {
		t.Errorf("after a reload the page says: %s", again)
	}
}

// readCode looks into the development mailbox until the mail to an address is there, and reads its code.
func readCode(t *testing.T, s *testenv.Sidecar, b *testenv.Browser, to string) string {
	t.Helper()
	if _, err := s.NextMail(to, 0); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		b.Do("open the mailbox", chromedp.Navigate(s.Admin+"/dev/mail"), chromedp.WaitVisible(".mails li"))
		if !strings.Contains(b.Text(".mails li:first-child"), to) {
			continue
		}
		b.Do("open the mail", chromedp.Click(".mails li:first-child a"), chromedp.WaitVisible("pre.text"))
		b.Screenshot("mail")
		return eightDigits.FindString(b.Text("pre.text"))
	}
	t.Fatalf("the mailbox does not show the mail to %s", to)
	return ""
}
