package guard_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/httpapi/guard"
)

func TestOriginIsComparedAsBrowsersWriteIt(t *testing.T) {
	for public, origin := range map[string]string{
		"https://ID.Example.org":     "https://id.example.org",
		"https://id.example.org:443": "https://id.example.org",
		"http://127.0.0.1:80/":       "http://127.0.0.1",
		"http://[::1]:8080":          "http://[::1]:8080",
	} {
		u, err := url.Parse(public)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Origin", origin)
		if o := guard.NewOrigin(u); !o.Proved(r) || o.Foreign(r) {
			t.Errorf("%s does not recognise %s", public, origin)
		}
	}
}

func TestLanguageIsTakenOnlyWhenItIsOne(t *testing.T) {
	for header, want := range map[string]string{
		"":                        "",
		"de-CH, en;q=0.5":         "de-CH, en;q=0.5",
		"*":                       "*",
		"../../../etc/passwd":     "",
		"de;q=nonsense":           "",
		"de\r\nSet-Cookie: a=b":   "",
		strings.Repeat("de,", 99): "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", header)
		if got := guard.LanguageWish(r); got != want {
			t.Errorf("%q: want %q, got %q", header, want, got)
		}
	}
}
