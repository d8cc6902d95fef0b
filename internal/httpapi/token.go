package httpapi

import (
	"net/http"
	"strings"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// token returns the registration's token of a request: from the Authorization header or the cookie. A browser sends
// the cookie without being asked, so with the cookie alone a request that changes anything must prove that it comes
// from our own origin. No token at all gets the answer of an unknown one.
func (a *api) token(r *http.Request) (flow.Token, error) {
	bearer, err := bearerToken(r)
	if err != nil {
		return flow.Token{}, err
	}
	cookie, err := a.cookie.Token(r)
	if err != nil {
		return flow.Token{}, malformed("", detailTwoTokens, err)
	}
	switch {
	case !bearer.Empty() && !cookie.Empty() && !bearer.Equal(cookie):
		return flow.Token{}, malformed("", detailTwoTokens, nil)
	case !bearer.Empty():
		return bearer, nil
	case cookie.Empty():
		return flow.Token{}, &flow.Problem{Code: flow.CodeRegistrationGone}
	case r.Method != http.MethodGet && !a.origin.Proved(r):
		return flow.Token{}, &flow.Problem{Code: codeCrossOrigin}
	}
	return cookie, nil
}

// bearerToken returns the token of RFC 6750, section 2.1. Another scheme is somebody else's: a gateway's, say.
func bearerToken(r *http.Request) (flow.Token, error) {
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return flow.Token{}, malformed("", detailAuthorization, nil)
	}
	if len(values) == 0 {
		return flow.Token{}, nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return flow.Token{}, nil
	}
	return plugin.NewSecret(strings.TrimLeft(token, " ")), nil
}
