package httpapi_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

func TestProblemsAreInTheCallersLanguage(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	for wish, want := range map[string]string{
		"de": "Der Code ist falsch.", "de-AT,en;q=0.5": "Der Code ist falsch.", "fr, de;q=0.8, en;q=0.7": "Der Code ist falsch.",
		"en-GB": "The code is wrong.", "ja": "The code is wrong.", "": "The code is wrong.", ";;": "The code is wrong.",
		strings.Repeat("de,", 5000): "The code is wrong.",
	} {
		fresh := c.start()
		c.send("POST", "/v1/registration/steps/about-you", aboutYou, bearer(fresh))
		a := c.must(c.send("POST", "/v1/registration/steps/verify-email", `{"code":"00000000"}`, bearer(fresh), with("Accept-Language", wish)), 422, "wrong_code")
		if a.body["title"] != want {
			t.Errorf("%.40q: %v", wish, a.body["title"])
		}
	}
	a := c.must(c.send("POST", "/v1/registration/steps/about-you", `{"items":{},"x":1}`, bearer(token), with("Accept-Language", "de")), 400, "malformed")
	if a.body["title"] != "Die Anfrage hat nicht die verlangte Form." {
		t.Errorf("the title is %v", a.body["title"])
	}
	a = c.must(c.send("POST", "/v1/registration", `{"flo":"x"}`, with("Accept-Language", "de")), 400, "malformed")
	if a.body["detail"] != "Dieses Element ist nicht bekannt: /flo" {
		t.Errorf("the detail is %v", a.body["detail"])
	}
	if a := c.must(c.send("GET", "/v1/nothing", "", with("Accept-Language", "de")), 404, "unknown"); a.body["title"] != "Hier gibt es nichts." {
		t.Errorf("the title is %v", a.body["title"])
	}
}
