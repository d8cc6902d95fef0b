package guard

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// ErrTwoTokens is returned for a request that brings two different tokens.
var ErrTwoTokens = errors.New("read registration token: two different ones were sent")

// Cookie carries a registration's token in browsers. API and pages share it.
type Cookie struct {
	name   string
	secure bool
}

// NewCookie returns the cookie that fits the public URL: under https it is Secure and bound to its host by the
// __Host- prefix (RFC 6265bis, section 4.1.3.2); a browser would not take such a cookie over http.
func NewCookie(public *url.URL) Cookie {
	if public.Scheme == "https" {
		return Cookie{name: "__Host-narthex-registration", secure: true}
	}
	return Cookie{name: "narthex-registration"}
}

// Name returns the cookie's name.
func (k Cookie) Name() string { return k.name }

// Token returns the token that the request brings, an empty one when it brings none, and ErrTwoTokens when it brings
// different ones: one of them was planted, and nobody can tell which.
func (k Cookie) Token(r *http.Request) (flow.Token, error) {
	var token flow.Token
	for i, c := range r.CookiesNamed(k.name) {
		next := plugin.NewSecret(c.Value)
		if i > 0 && !next.Equal(token) {
			return flow.Token{}, ErrTwoTokens
		}
		token = next
	}
	return token, nil
}

// Set hands the token to the browser, for the length of its session; the registration itself expires at the server.
func (k Cookie) Set(w http.ResponseWriter, t flow.Token) { k.write(w, t.Reveal(), 0) }

// Clear takes the token back.
func (k Cookie) Clear(w http.ResponseWriter) { k.write(w, "", -1) }

func (k Cookie) write(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the public URL; over http on loopback it cannot be
		Name: k.name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: k.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
