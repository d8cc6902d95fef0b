package guard

import (
	"net/http"
	"net/url"
	"strings"
)

// Origin tells requests that our own pages made from those that other sites made a browser send. Sec-Fetch-Site, which
// scripts cannot set, is believed first; browsers without it send Origin.
type Origin struct{ self string }

// NewOrigin returns the origin of the public URL, as browsers write it.
func NewOrigin(public *url.URL) Origin {
	host := strings.ToLower(public.Host)
	switch public.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return Origin{public.Scheme + "://" + host}
}

// Proved tells whether the request surely comes from our own origin. A request that says nothing does not.
func (o Origin) Proved(r *http.Request) bool {
	if site, said := only(r, "Sec-Fetch-Site"); said {
		return site == "same-origin"
	}
	origin, said := only(r, "Origin")
	return said && origin == o.self
}

// Foreign tells whether the request says that another site made it. A program that is no browser says nothing.
func (o Origin) Foreign(r *http.Request) bool {
	if site, said := only(r, "Sec-Fetch-Site"); said {
		return site != "same-origin" && site != "none"
	}
	origin, said := only(r, "Origin")
	return said && origin != o.self
}

// only returns the header's value; a repeated one counts as said and equals nothing.
func only(r *http.Request, name string) (string, bool) {
	values := r.Header.Values(name)
	if len(values) == 1 {
		return values[0], true
	}
	return "", len(values) > 1
}
