package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

// wishing opens a page as a browser with this Accept-Language does.
func (p *person) wishing(path, languages string) *seen {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", languages)
	return p.do(r)
}

func TestPageIsInTheLanguageThatTheBrowserWishes(t *testing.T) {
	for wish, want := range map[string]string{
		"de": "de", "de-AT, en;q=0.5": "de", "fr, de;q=0.8": "de", "en-GB, de;q=0.5": "en", "ja": "en", "": "en", strings.Repeat("de,", 100): "en", ";;": "en",
	} {
		p := visit(t, &flowtest.Engine{})
		page := p.wishing(flowPath, wish)
		text := map[string]string{"de": "Los geht’s", "en": "Get started"}[want]
		page.must(200, flowPath, `<html lang="`+want+`" dir="ltr">`, text)
	}
}

func TestChosenLanguageGoesBeforeEveryOther(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	intro := p.open(flowPath + "?return_to=/apps")
	page := p.press(intro, "Deutsch").must(200, flowPath, `<html lang="de"`, "Los geht’s", `name="return_to" value="/apps"`, `lang="de" aria-current="true"`)
	page = p.press(page, "Los geht’s").must(200, flowPath, "Weiter")
	p.wishing(flowPath, "en").must(200, flowPath, `<html lang="de"`)
	page = p.press(page, "Weiter").must(422, flowPath+"/steps/about-you", "<title>Fehler: ", "Bitte prüfen Sie Ihre Angaben")
	p.press(page, "English").must(200, flowPath, `<html lang="en"`, "Email address")
	p.open("/nothing").must(404, "/nothing", `<html lang="en"`)
	p.press(p.open("/nothing"), "Deutsch").must(200, flowPath, `<html lang="de"`)
}

func TestRegistrationsLanguageGoesBeforeTheBrowsers(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	p.begun() // the small engine holds everything in English
	p.wishing(flowPath, "de").must(200, flowPath, `<html lang="en"`, "Cancel registration")
}

func TestLanguageCookieHoldsALanguageAndNothingElse(t *testing.T) {
	p := visit(t, &flowtest.Engine{})
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer := p.post(flowPath+"/language", url.Values{"language": {"de"}})
	if got := answer.header.Values("Set-Cookie"); len(got) != 1 || got[0] != "narthex-language=de; Path=/; HttpOnly; SameSite=Lax" {
		t.Errorf("the cookie is %q", got)
	}
	for _, wish := range []string{"fr", "DE", "de; Domain=example.org", "<script>", strings.Repeat("x", 5000), ""} {
		if got := p.post(flowPath+"/language", url.Values{"language": {wish}}); got.status != 303 || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%.20q: %d, %q", wish, got.status, got.header.Get("Set-Cookie"))
		}
	}
	for _, back := range []string{"//evil.example", "https://evil.example", "/\r\nSet-Cookie: a=b"} {
		got := p.post(flowPath+"/language", url.Values{"language": {"de"}, "return_to": {back}})
		if to := got.header.Get("Location"); !strings.HasPrefix(to, flowPath+"?return_to=") || strings.ContainsAny(to, "\r\n") {
			t.Errorf("%q leads to %q", back, to)
		}
	}
	p.client.CheckRedirect = nil
	for _, planted := range []string{"fr", "de-AT", "../de", "<script>", `"`, ""} {
		r, err := http.NewRequest(http.MethodGet, p.base+flowPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "narthex-language="+planted)
		p.client.Jar = nil
		p.do(r).must(200, flowPath, `<html lang="en"`)
	}
	p.header = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	p.post("/language", url.Values{"language": {"de"}}).must(403, "/language", "came from elsewhere")
}
