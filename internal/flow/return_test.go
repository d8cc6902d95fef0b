package flow_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/flow"
)

const returning = open + `return_to:
  - https://apps.example.org
  - https://www.example.org/members/welcome?from=narthex
  - http://localhost:3000
`

func TestPeopleAreSentBackOnlyWhereTheOperatorSays(t *testing.T) {
	w := newWorld(t, returning)
	for wish, want := range map[string]string{
		"/apps?a=b":                                            "/apps?a=b",
		"https://apps.example.org":                             "https://apps.example.org",
		"https://apps.example.org/":                            "https://apps.example.org",
		"HTTPS://Apps.Example.org:443/a/../b?c=%2f":            "https://apps.example.org/a/../b?c=%2f",
		"https://www.example.org/members/welcome?from=narthex": "https://www.example.org/members/welcome?from=narthex",
		"http://localhost:3000/x":                              "http://localhost:3000/x",
	} {
		r, err := w.Start(w.ctx(), flow.StartRequest{ReturnTo: wish})
		w.must(err)
		p := &person{w: w, token: r.Token}
		p.toPassword(ada).finish()
		if ways := p.last.ContinueWith; len(ways) == 0 || ways[0] != (flow.Continuation{Action: "redirect", URL: want}) {
			t.Errorf("%q leads to %+v", wish, ways)
		}
		w.store.forget()
	}
	for _, attack := range []string{
		"//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "///evil.example", "https:///evil.example", "https:evil.example", "https:/evil.example",
		"https://evil.example", "https://apps.example.org.evil.example", "https://evil.example/https://apps.example.org", "https://evil-apps.example.org",
		"https://apps.example.org@evil.example", "https://apps.example.org:pass@evil.example", "https://apps.example.org%40evil.example", `https://apps.example.org\@evil.example`,
		"https://apps.example.org%2eevil.example", "https://apps.example.org:444", "https://apps.example.org:443:443", "http://apps.example.org", "ftp://apps.example.org",
		"javascript:alert(1)", "javascript://apps.example.org/%0aalert(1)", "data:text/html,x", "https://apps.example.org/\r\nSet-Cookie: x", "https://apps.example.org/ x",
		"https://аpps.example.org", "https://apps。example.org", "https://apps.example.org./", "https://apps.example.org/#@evil.example", "https://[::1]", "http://localhost", "http://localhost:3001",
		"https://www.example.org", "https://www.example.org/members/welcome", "https://www.example.org/members/welcome?from=narthex&x=1", "https://www.example.org/members/welcome/../x?from=narthex",
		" https://apps.example.org", "apps.example.org", "?", "https://", "/" + strings.Repeat("a", 1024), "https://apps.example.org/" + strings.Repeat("a", 1024), "/\x00", "/\u2028",
	} {
		_, err := w.Start(w.ctx(), flow.StartRequest{ReturnTo: attack})
		if p := w.problem(err, flow.CodeInvalidInput); violations(p) != "return_to:return_to" {
			t.Errorf("%q: %s", attack, violations(p))
		}
	}
}

func TestPlacesToReturnToAreJudged(t *testing.T) {
	for _, wrong := range []string{"apps.example.org", "http://apps.example.org", "https://u@apps.example.org", "/apps", "https://apps.example.org/#x", "https://bücher.example"} {
		_, err := flow.ReadDefinition("flows.yaml", []byte(open+"return_to: ["+wrong+"]\n"))
		if err == nil || !strings.Contains(err.Error(), "is no place to send people to; write an origin") || !strings.Contains(err.Error(), "return_to[0]") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if _, err := flow.ReadDefinition("flows.yaml", []byte(open+"return_to: [https://a.example, https://A.example/]\n")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a place that stands there twice: %v", err)
	}
}

// FuzzReturns: whatever is allowed leads, as a URL parser reads what is given out, to this origin or to the one listed.
func FuzzReturns(f *testing.F) {
	for _, seed := range []string{"/a", "//a", "https://apps.example.org/x?y", "https://apps.example.org@evil.example", "https://apps.example.org:443/", `/\a`} {
		f.Add(seed)
	}
	base, _ := url.Parse("https://id.example.org/register")
	f.Fuzz(func(t *testing.T, wish string) {
		target, ok := flow.Returns{"https://apps.example.org"}.Target(wish)
		if !ok {
			return
		}
		u, err := base.Parse(target)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Host != "id.example.org" && u.Host != "apps.example.org" {
			t.Errorf("%q leads to %q", wish, target)
		}
	})
}
