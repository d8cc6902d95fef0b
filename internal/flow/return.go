package flow

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/narthex/narthex/internal/config"
)

// longestReturn bounds where a person may be sent back to.
const longestReturn = 1024

// Returns are the places outside the service that people may be sent to afterwards: origins, with any path, and
// addresses that have to be met exactly. All are in the form that readReturn gives.
type Returns []string

// target returns where a wish leads, as it is written out for browsers, and whether that is allowed: a path on the
// service's own origin, or what the operator lists. It is read once, and what is returned is what was read: no browser
// gets to read the wish another way.
func (r Returns) target(wish string) (string, bool) {
	if ownPath(wish) {
		return wish, true
	}
	u, ok := readReturn(wish)
	if !ok {
		return "", false
	}
	origin := u.Scheme + "://" + u.Host
	return u.String(), slices.Contains(r, origin) || slices.Contains(r, u.String())
}

// ownPath tells whether s is a path on the service's own origin: it begins with one slash, and has nothing in it that a
// browser would read as another origin.
func ownPath(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && harmless(s)
}

// harmless tells whether a text has nothing that browsers leave out or read as something else.
func harmless(s string) bool {
	return len(s) <= longestReturn && !strings.Contains(s, `\`) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
	})
}

// readReturn reads an absolute URL: https, or http on a loopback address, with a host in ASCII and nothing that could
// hide where it leads. An origin alone has no path.
func readReturn(s string) (*url.URL, bool) {
	if !harmless(s) || strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) {
		return nil, false
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Hostname() == "" || strings.HasSuffix(u.Hostname(), ".") {
		return nil, false
	}
	u.Host = strings.ToLower(u.Host)
	port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	u.Host = strings.TrimSuffix(strings.TrimSuffix(u.Host, port), ":")
	if u.Path == "/" && u.RawQuery == "" {
		u.Path = ""
	}
	return u, u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (r *reader) readReturns(n *config.Node) {
	if n == nil {
		return
	}
	for _, one := range n.Sequence() {
		text := one.Str()
		u, ok := readReturn(text)
		switch {
		case !ok:
			one.Fault(fmt.Sprintf("%q is no place to send people to", shortText(text)),
				"write an origin like https://apps.example.org, or a whole address; http works on loopback addresses only")
		case slices.Contains(r.def.ReturnTo, u.String()):
			one.Fault("this place stands there twice", "remove one")
		default:
			r.def.ReturnTo = append(r.def.ReturnTo, u.String())
		}
	}
}
