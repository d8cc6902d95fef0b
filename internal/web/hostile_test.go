package web_test

import (
	"net/http"
	"net/url"
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
	p := visit(t, &flowtest.Engine{Username: `<img src=x onerror=alert(1)>"'`, LoginURL: "javascript:alert(1)"})
	const attack = `"><script>alert(1)</script><b onmouseover='x'>{{.}}`
	page := p.press(p.begun(), "Continue", "Email address", attack, "First name", attack, "Last name", attack).
		must(422, flowPath+"/steps/about-you").mustNot("<script", "<b onmouse")
	page = p.press(page, "Continue", "Email address", `"<script>"@example.org`, "First name", attack, "Last name", attack).mustNot("<script")
	page = p.press(page, "Continue", "Code", "12345678")
	p.press(page, "Continue", "Password", "correct horse battery").must(200, flowPath, "&lt;img").mustNot("<img", "javascript:")
	p.client.Jar = nil
	p.open(flowPath+"?return_to="+url.QueryEscape(attack)).must(200, flowPath, "Get started").mustNot("<script")
	p.open("/register/%3Cscript%3E").mustNot("<script")
	p.open("/%3Cscript%3Ealert(1)%3C/script%3E").mustNot("<script")
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
	const path = flowPath + "/steps/about-you"
	p.post(path, url.Values{"given_name": {strings.Repeat("x", 17<<10)}}).must(413, path)
	p.post(path, url.Values{"email": {"a@example.org", "b@example.org"}}).must(400, path, "could not be read")
	p.post(path, url.Values{"email": {"a\x00b"}}).must(400, path)
	p.post(path, url.Values{"email": {"\xff"}}).must(400, path)
	for _, contentType := range []string{"multipart/form-data; boundary=x", "text/plain", "application/json", ""} {
		r, err := http.NewRequest(http.MethodPost, p.base+path+"?email=a@example.org", strings.NewReader("email=a@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = p.header.Clone()
		r.Header.Set("Content-Type", contentType)
		p.do(r).must(415, path)
	}
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
