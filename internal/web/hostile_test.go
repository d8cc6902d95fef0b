package web_test

import (
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	e := &flowtest.Engine{}
	p := visit(t, e)
	p.verifying()
	for name, header := range map[string]http.Header{
		"another site":   {"Sec-Fetch-Site": {"cross-site"}},
		"a sibling host": {"Sec-Fetch-Site": {"same-site"}},
		"another origin": {"Origin": {"https://evil.example"}},
		"origin null":    {"Origin": {"null"}},
		"nothing said":   {},
	} {
		p.header = header
		for _, path := range []string{flowPath, flowPath + "/abort", flowPath + "/steps/verify-email", flowPath + "/steps/verify-email/resend", flowPath + "/steps/verify-email/change"} {
			if page := p.post(path, url.Values{"code": {"12345678"}}); page.status != 403 || !strings.Contains(page.text, "came from elsewhere") {
				t.Errorf("%s: %s: %d", name, path, page.status)
			}
		}
	}
	p.open(flowPath).must(200, flowPath, "Check your mail")
	p.header = http.Header{"Origin": {p.base}}
	p.post(flowPath+"/steps/verify-email", url.Values{"code": {"12345678"}}).must(200, flowPath, "Choose a password")
}

func TestWhatIsEnteredIsShownAsText(t *testing.T) {
	root, err := os.OpenRoot("../../docs/theme-example")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	hostile := themeOf(map[string]string{
		"texts/de.yaml":   "title_error: \"<script>{{.Title}}</script>\"\ndone_lead: \"<img src=x>\"\n",
		"pages/over.html": builtinPage(t, "over.html", "<h1>", `<p title="{{.Flow}}" class={{.Flow}}>{{.Flow}}</p><h1>`),
	})
	for name, c := range map[string]struct {
		theme    fs.FS
		language string
		words    [3]string
	}{
		"built in": {nil, "English", [3]string{"Get started", "Continue", "Cancel registration"}}, "in German": {nil, "Deutsch", [3]string{"Los geht’s", "Weiter", "Registrierung abbrechen"}},
		"in a theme": {root.FS(), "Deutsch", [3]string{"Los geht’s", "Weiter", "Registrierung abbrechen"}}, "in a careless theme": {hostile, "Deutsch", [3]string{"Los geht’s", "Weiter", "Registrierung abbrechen"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := visit(t, &flowtest.Engine{Username: `<img src=x onerror=alert(1)>"'`, LoginURL: "javascript:alert(1)"}, dressed(c.theme))
			begin, next, cancel := c.words[0], c.words[1], c.words[2]
			const attack = `"><script>alert(1)</script><b onmouseover='x'>{{.}}`
			p.open(flowPath+"?return_to="+url.QueryEscape(attack)+"&notice="+url.QueryEscape(attack)).must(200, flowPath).mustNot("<script", "<b onmouse")
			page := p.press(p.press(p.open(flowPath), c.language), begin)
			page = p.press(page, next, "Email address", attack, "First name", attack, "Last name", attack).
				must(422, flowPath+"/steps/about-you", "&lt;script").mustNot("<script", "<b onmouse")
			page = p.press(page, next, "Email address", `"<script>"@example.org`, "First name", attack, "Last name", attack).mustNot("<script", "<b onmouse")
			p.post(flowPath+"/steps/verify-email", url.Values{"code": {attack}}).must(422, flowPath+"/steps/verify-email").mustNot("alert(1)")
			page = p.press(page, next, "Code", "12345678")
			page = p.press(page, next, "Password", "correct horse battery").must(200, flowPath, "&lt;img").mustNot("<img src=x", "javascript:")
			page = p.press(page, map[string]string{"Get started": "Create another account"}[begin]+map[string]string{"Los geht’s": "Ein weiteres Konto anlegen"}[begin])
			p.press(page, cancel).must(200, flowPath+"/abort").mustNot("<script")
			p.post("/register/"+url.PathEscape(attack)+"/abort", nil).mustNot("<script", "<b onmouse")
			p.post("/register/"+url.PathEscape(attack)+"/language", url.Values{"language": {attack}, "return_to": {attack}}).mustNot("<script", "<b onmouse")
			p.open("/register/%3Cscript%3E").mustNot("<script")
			p.open("/%3Cscript%3Ealert(1)%3C/script%3E").mustNot("<script")
		})
	}
}

func TestNothingInARequestForgesALineOfTheLog(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	const forged = "level=ERROR msg=forged"
	requests := 0
	for _, path := range []string{"/register/%0Alevel=ERROR%20msg=forged", "/register/%1B[31mlevel=ERROR%20msg=forged", flowPath + "?notice=%0A" + url.QueryEscape(forged)} {
		for _, header := range []http.Header{{}, {"Accept-Language": {"de\x1b[31m " + forged}}, {"Cookie": {"narthex-language=" + forged + "; narthex-registration=" + forged}}, {"User-Agent": {forged}}} {
			r, err := http.NewRequest(http.MethodGet, p.base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = header
			if r.Header.Get("User-Agent") == "" {
				r.Header.Set("User-Agent", "x")
			}
			if resp, err := p.client.Do(r); err == nil { // the client itself refuses some
				requests++
				_ = resp.Body.Close()
			}
		}
	}
	lines := 0
	for line := range strings.Lines(p.log.String()) {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("this is no line of ours: %s", line)
		}
		if strings.Contains(line, "msg=request ") {
			lines++
		}
	}
	if strings.Contains(p.log.String(), "forged") || strings.Contains(p.log.String(), "\x1b") || lines != requests || requests < 9 {
		t.Errorf("%d requests, and the log:\n%s", requests, p.log)
	}
}

func TestOnlyAddressesOfTheWebAreLinked(t *testing.T) {
	for address, linked := range map[string]bool{
		"https://login.example.org/": true, "http://127.0.0.1:9000/": true, "/login": true,
		"javascript:alert(1)": false, "//evil.example": false, `/\evil.example`: false, "data:text/html,x": false, "https:evil": false, "": false,
	} {
		p := visit(t, &flowtest.Engine{LoginURL: address})
		page := p.press(p.verifying(), "Continue", "Code", "12345678")
		page = p.press(page, "Continue", "Password", "correct horse battery").must(200, flowPath, "Your account is ready")
		if strings.Contains(page.text, `class="button primary"`) != linked {
			t.Errorf("%q is linked: %v", address, !linked)
		}
	}
}

func TestReturnAddressThatIsNotAllowedIsLeftOut(t *testing.T) {
	for _, target := range []string{"//evil.example", `/\evil.example`, "https://evil.example", "javascript:alert(1)"} {
		p := visit(t, &flowtest.Engine{})
		intro := p.open("/register?return_to=" + url.QueryEscape(target))
		p.press(intro, "Get started").must(200, flowPath, "Email address").mustNot("evil")
	}
}

func TestOnlyPlainFormsOfModestSizeAreRead(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	p.begun()
	const path, goodForm = flowPath + "/steps/about-you", "email=a@example.org&given_name=A&family_name=B"
	p.post(path, url.Values{"given_name": {strings.Repeat("x", 17<<10)}}).must(413, path)
	p.post(path, url.Values{"email": {"a@example.org", "b@example.org"}}).must(400, path, "could not be read")
	p.post(path, url.Values{"email": {"a\x00b"}}).must(400, path)
	p.post(path, url.Values{"email": {"\xff"}}).must(400, path)
	const plain = "application/x-www-form-urlencoded"
	for _, header := range []http.Header{
		{"Content-Type": {"multipart/form-data; boundary=x"}}, {"Content-Type": {"text/plain"}}, {"Content-Type": {"application/json"}}, {"Content-Type": {""}}, {},
		{"Content-Type": {plain}, "Content-Encoding": {"gzip"}}, {"Content-Type": {plain}, "Content-Encoding": {"identity"}}, {"Content-Type": {plain}, "Content-Encoding": {""}},
	} {
		r, err := http.NewRequest(http.MethodPost, p.base+path+"?email=a@example.org", strings.NewReader(goodForm))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		p.do(r).must(415, path)
	}
	p.open(flowPath).must(200, flowPath, "Email address")
	// What only the query says does not count.
	r, err := http.NewRequest(http.MethodPost, p.base+path+"?email=a@example.org&given_name=A&family_name=B", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = p.header.Clone()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.do(r).must(422, path)
}

func TestEveryTypeOfFieldHasItsControl(t *testing.T) {
	p := visit(t, &flowtest.Engine{AllTypes: true})
	page := p.begun()
	for id, want := range map[string]string{
		"field-email": "email", "field-given_name": "text", "field-phone": "tel", "field-born": "date", "field-size": "text",
		"field-visit": "datetime-local", "field-news": "checkbox",
	} {
		if got := attr(page.byID(id), "type"); got != want {
			t.Errorf("%s is a %q", id, got)
		}
	}
	born, size := page.byID("field-born"), page.byID("field-size")
	if attr(born, "min") != "1900-01-01" || attr(born, "max") != "2020-12-31" || attr(size, "inputmode") != "numeric" || !strings.Contains(page.text, "From 20 to 60.") || has(size, "required") {
		t.Error("bounds are missing")
	}
	fields := append([]string{"Phone number", "+49301234567", "Date of birth", "1990-02-03", "Shoe size", "42", "Faculty", "arts",
		"First visit", "2026-01-02T10:20", "Send me the newsletter", "true"}, ada...)
	verify := p.press(page, "Continue", fields...).must(200, flowPath, "Check your mail")
	back := p.press(verify, "Wrong address? Change it")
	if !has(back.byID("field-news"), "checked") || attr(back.byID("field-size"), "value") != "42" ||
		attr(back.byID("field-visit"), "value") != "2026-01-02T10:20:00" || !strings.Contains(back.text, `<option value="arts" selected>`) {
		t.Errorf("what was entered does not come back: %s", back.text)
	}
}

func TestTwoCookiesOfOneNameAreRefused(t *testing.T) {
	e := &flowtest.Engine{}
	p := visit(t, e)
	p.client.Jar = nil
	r, err := http.NewRequest(http.MethodGet, p.base+flowPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", "narthex-registration=planted; narthex-registration=own")
	p.do(r).must(400, flowPath, "Two registrations at once")
}

func TestAssetsMayBeKeptBecauseTheirPathNamesTheirContent(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	page := p.open(flowPath)
	found := regexp.MustCompile(`/assets/[0-9a-f]{12}/[a-z.]+`).FindAllString(page.text, -1)
	if len(found) != 2 {
		t.Fatalf("the page refers to %v", found)
	}
	for _, path := range found {
		a := p.open(path)
		if a.status != 200 || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
		if strings.Contains(a.text, "http://") && !strings.Contains(a.text, "http://www.w3.org/2000/svg") || strings.Contains(a.text, "@import") {
			t.Errorf("%s loads something from elsewhere", path)
		}
	}
}
