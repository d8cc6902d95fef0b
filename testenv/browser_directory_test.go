package testenv_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/narthex/narthex/testenv"
)

// TestAPersonRegistersInABrowserIntoADirectory walks the pages at /register; the directory's own policy refuses the
// first password. In the end the admin finds one complete entry, and the new person binds with OpenLDAP's own tools.
func TestAPersonRegistersInABrowserIntoADirectory(t *testing.T) {
	t.Parallel()
	d, env := preparedDirectory(t)
	d.Load(t, "dn: cn=default,ou=policies,"+d.Base+"\nchangetype: modify\nreplace: pwdMinLength\npwdMinLength: 24\n")
	s := testenv.Start(t, env...)
	b := testenv.NewBrowser(t)
	const email, password = "zoe.ohara@example.org", "a long and private sentence"

	b.Do("open", chromedp.EmulateViewport(420, 800), chromedp.Navigate(s.URL+"/register"), chromedp.WaitVisible("button.primary"))
	b.Do("begin", chromedp.Click("button.primary"), chromedp.WaitVisible("[name=email]"))
	b.Screenshot("directory-1-about-you")
	b.Do("fill in", chromedp.SendKeys("[name=email]", email), chromedp.SendKeys("[name=given_name]", "Zoë"),
		chromedp.SendKeys("[name=family_name]", `O'Hara, "Söhne"+x`), chromedp.Click("button.primary"), chromedp.WaitVisible("[name=code]"))
	code := readCode(t, s, b, email)
	b.Do("enter the code", chromedp.Navigate(s.URL+"/register/standard"), chromedp.WaitVisible("[name=code]"),
		chromedp.SendKeys("[name=code]", code), chromedp.Click("button.primary"), chromedp.WaitVisible("[name=password]"))

	b.Do("choose a password that the directory refuses", chromedp.SendKeys("[name=password]", "sixteen letters!"), chromedp.Click("button.primary"), chromedp.WaitVisible("[name=password][aria-invalid]"))
	b.Screenshot("directory-2-refused")
	if left := d.LDAPSearch(t, d.Base, "(|(mail="+email+")(sn=O'Hara*))", "1.1"); left != "" {
		t.Errorf("a refused password leaves\n%s", left)
	}

	b.Do("choose a longer one", chromedp.SendKeys("[name=password]", password), chromedp.Click("button.primary"), chromedp.WaitNotPresent("[name=password]"), chromedp.WaitVisible("main"))
	b.Screenshot("directory-3-done")
	name := regexp.MustCompile(`u[0-9a-z]{11}`).FindString(b.Text("main"))
	if name == "" {
		t.Fatalf("the last page says: %s", b.Text("main"))
	}

	dn := "uid=" + name + "," + d.People
	found := d.LDAPSearch(t, d.Base, "(|(mail="+email+")(sn=O'Hara*)(uid="+name+"))")
	if strings.Count(found, "dn: ") != 1 || !strings.HasPrefix(found, "dn: "+dn+"\n") {
		t.Fatalf("the directory has\n%s", found)
	}
	encoded := func(text string) string { return ": " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, want := range []string{"objectClass: inetOrgPerson", "uid: " + name, "mail: " + email, "givenName:" + encoded("Zoë"),
		"sn:" + encoded(`O'Hara, "Söhne"+x`), "cn:" + encoded(`Zoë O'Hara, "Söhne"+x`)} {
		if !strings.Contains(found, "\n"+want+"\n") {
			t.Errorf("the entry lacks %q:\n%s", want, found)
		}
	}
	if who, err := d.LDAPWhoAmI(dn, password); err != nil || who != dn {
		t.Errorf("ldapwhoami as the new person: %s %v", who, err)
	}
	if _, err := d.LDAPWhoAmI(dn, "sixteen letters!"); err == nil {
		t.Error("the refused password binds")
	}
}
