package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

func TestCookieFitsThePublicURL(t *testing.T) {
	for public, want := range map[string]string{
		"https://id.example.org": "__Host-narthex-registration=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8080":  "narthex-registration=TOKEN; Path=/; HttpOnly; SameSite=Lax",
	} {
		c := newClient(t, &flowtest.Engine{}, func(o *httpapi.Options) { o.PublicURL, _ = url.Parse(public) })
		a := c.must(c.send("POST", "/v1/registration", "{}"), 201, "")
		got := a.Header().Values("Set-Cookie")
		if len(got) != 1 || strings.Replace(got[0], a.token(), "TOKEN", 1) != want {
			t.Errorf("%s: want %q, got %q", public, want, got)
		}
		hsts := a.Header().Get("Strict-Transport-Security")
		if strings.HasPrefix(public, "https") != (hsts == "max-age=31536000") {
			t.Errorf("%s: Strict-Transport-Security is %q", public, hsts)
		}
	}
}

func TestProofReplacesTheCookie(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	planted := c.start()
	if a := c.send("POST", "/v1/registration/steps/about-you", aboutYou, cookie(planted), sameOrigin); a.Header().Get("Set-Cookie") != "" {
		t.Error("a step that proves nothing sets a cookie")
	}
	a := c.must(c.send("POST", "/v1/registration/steps/verify-email", `{"code":"12345678"}`, cookie(planted), sameOrigin), 200, "")
	if !strings.HasPrefix(a.Header().Get("Set-Cookie"), "__Host-narthex-registration="+a.token()+";") {
		t.Errorf("the new token does not come as cookie: %q", a.Header().Get("Set-Cookie"))
	}
	c.must(c.send("POST", "/v1/registration/steps/password", `{"items":{"password":"mallory's own choice"}}`, bearer(planted)), 410, "registration_gone")
}

func TestForeignAndUnknownTokensAreAnsweredAlike(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	var first string
	for _, change := range []func(*http.Request){
		func(*http.Request) {},
		bearer("x"),
		bearer(strings.Repeat("A", 43)),
		bearer(token[:42]),
		bearer(token + "A"),
		cookie(strings.Repeat("B", 43)),
		with("Cookie", "narthex-registration="+token), // the name under http does not count under https
		with("Authorization", "Basic "+token),
		with("Authorization", "Bearer"),
	} {
		a := c.must(c.send("GET", "/v1/registration", "", change), 410, "registration_gone")
		got := a.Body.String() + headersWithoutID(a.Header())
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("answered differently:\n%s\n%s", first, got)
		}
	}
}

func TestTwoDifferentTokensAreRefused(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	one, other := c.start(), c.start()
	c.must(c.send("GET", "/v1/registration", "", bearer(one), cookie(one)), 200, "")
	c.must(c.send("GET", "/v1/registration", "", bearer(one), cookie(other)), 400, "malformed")
	c.must(c.send("GET", "/v1/registration", "", cookie(one), cookie(other)), 400, "malformed")
	c.must(c.send("GET", "/v1/registration", "", bearer(one), bearer(one)), 400, "malformed")
}

func TestCookieAloneNeedsProofOfSameOrigin(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	const path = "/v1/registration/steps/about-you"
	for name, said := range map[string][]func(*http.Request){
		"nothing said":         {},
		"another site":         {with("Sec-Fetch-Site", "cross-site")},
		"a sibling host":       {with("Sec-Fetch-Site", "same-site")},
		"typed in":             {with("Sec-Fetch-Site", "none")},
		"said twice":           {sameOrigin, sameOrigin},
		"another origin":       {with("Origin", "https://evil.example")},
		"origin null":          {with("Origin", "null")},
		"origin alike":         {with("Origin", "https://id.example.org.evil.example")},
		"origin without TLS":   {with("Origin", "http://id.example.org")},
		"origin, but another":  {with("Origin", publicURL), with("Sec-Fetch-Site", "cross-site")},
		"origin by its header": {with("Origin", "https://evil.example"), with("Host", "evil.example"), with("X-Forwarded-Host", "evil.example")},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			said = append(said, cookie(token))
			c.must(c.send("POST", path, aboutYou, said...), 403, "cross_origin")
			c.must(c.send("POST", path+"/resend", "", said...), 403, "cross_origin")
			c.must(c.send("POST", path+"/change", "", said...), 403, "cross_origin")
			c.must(c.send("DELETE", "/v1/registration", "", said...), 403, "cross_origin")
		})
	}
	c.t = t
	c.must(c.send("POST", path, aboutYou, bearer(token), with("Sec-Fetch-Site", "cross-site")), 200, "")
	c.must(c.send("POST", "/v1/registration/steps/verify-email/change", "", cookie(token), sameOrigin), 200, "")
	c.must(c.send("POST", path, aboutYou, cookie(token), with("Origin", publicURL)), 200, "")
}

func TestOtherSitesCannotBeginARegistrationOrLogIn(t *testing.T) {
	e := &flowtest.Engine{}
	c := newClient(t, e)
	for _, said := range []func(*http.Request){
		with("Sec-Fetch-Site", "cross-site"), with("Sec-Fetch-Site", "same-site"), with("Origin", "https://evil.example"), with("Origin", "null"),
	} {
		c.must(c.send("POST", "/v1/registration", "{}", said), 403, "cross_origin")
		c.must(c.send("POST", "/v1/login", `{"identifier":"ada@example.org","password":"correct horse battery"}`, said), 403, "cross_origin")
	}
	if e.Rows() != 0 {
		t.Error("a registration was begun")
	}
	c.must(c.send("POST", "/v1/registration", "{}"), 201, "") // no browser
}

func TestEveryAnswerIsHardened(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	for _, a := range []answer{
		c.send("GET", "/v1/registration/flows", "", with("Origin", "https://evil.example")),
		c.send("POST", "/v1/registration", "{}", with("Origin", publicURL)),
		c.send("GET", "/v1/registration", "", bearer(token), with("Origin", "null")),
		c.send("GET", "/v1/registration", "", with("Origin", "https://id.example.org.evil.example")),
		c.send("OPTIONS", "/v1/registration", "", with("Origin", "https://evil.example"), with("Access-Control-Request-Method", "POST")),
		c.send("GET", "/v1/nothing", ""),
		c.send("POST", "/v1/registration", "nonsense"),
		c.send("DELETE", "/v1/registration", "", bearer(token)),
	} {
		for name, want := range map[string]string{
			"Cache-Control":           "no-store",
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"X-Frame-Options":         "DENY",
			"Etag":                    "",
			"Server":                  "",
			"X-Powered-By":            "",
		} {
			if got := a.Header().Get(name); got != want {
				t.Errorf("%d: %s is %q, want %q", a.Code, name, got, want)
			}
		}
		for name := range a.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%d: there is a CORS header %s", a.Code, name)
			}
		}
	}
}

func TestForwardedHeadersChangeNothing(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	plain := c.send("GET", "/v1/registration", "", bearer(token))
	for _, value := range []string{"a", "10.0.0.1", "127.0.0.1, 10.0.0.1", "evil.example", strings.Repeat("9", 10<<10)} {
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "Host"} {
			a := c.must(c.send("GET", "/v1/registration", "", bearer(token), with(name, value), with(name, value)), 200, "")
			if a.Body.String() != plain.Body.String() || headersWithoutID(a.Header()) != headersWithoutID(plain.Header()) {
				t.Errorf("%s: %.30s changes the answer", name, value)
			}
		}
	}
	if n := strings.Count(c.log.String(), "a forwarded header is ignored"); n != 1 {
		t.Errorf("the operator is told %d times", n)
	}
}
