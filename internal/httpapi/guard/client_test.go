package guard_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

// asker tells whom the guard takes for the client of a request.
type asker struct {
	handler http.Handler
	client  netip.Addr
	// ginSays is what gin itself would take for it.
	ginSays string
	log     bytes.Buffer
}

func newAsker(trusted ...string) *asker {
	a := &asker{}
	var prefixes []netip.Prefix
	for _, t := range trusted {
		prefixes = append(prefixes, netip.MustParsePrefix(t))
	}
	e := guard.NewEngine(guard.Options{Log: slog.New(slog.NewTextHandler(&a.log, nil)), Clients: true, TrustedProxies: prefixes})
	e.GET("/", func(c *gin.Context) { a.client, a.ginSays = flow.ClientFrom(c.Request.Context()), c.ClientIP() })
	a.handler = e
	return a
}

// ask sends a request with "Name: value" headers.
func (a *asker) ask(peer string, headers ...string) string {
	r := httptest.NewRequest(http.MethodGet, "http://narthex.example/", nil)
	r.RemoteAddr = peer
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	a.client = netip.Addr{}
	a.handler.ServeHTTP(httptest.NewRecorder(), r)
	if !a.client.IsValid() {
		return "nobody"
	}
	return a.client.String()
}

const (
	proxy  = "10.0.0.1:4711"
	person = "198.51.100.7"
)

func TestTheClientIsWhomTheTrustedProxiesName(t *testing.T) {
	a := newAsker("10.0.0.0/8", "2001:db8:1::/48")
	for rule, c := range map[string]struct {
		peer    string
		headers []string
		want    string
	}{
		"a peer that is no proxy":                 {person + ":1", nil, person},
		"what such a peer says is not believed":   {person + ":1", []string{"X-Forwarded-For: 203.0.113.1", "Forwarded: for=203.0.113.1", "X-Real-Ip: 203.0.113.1"}, person},
		"a proxy that names nobody":               {proxy, nil, "10.0.0.1"},
		"a proxy names the client":                {proxy, []string{"X-Forwarded-For: " + person}, person},
		"what the client made up stands left":     {proxy, []string{"X-Forwarded-For: 203.0.113.1, 10.9.9.9, " + person}, person},
		"through two proxies":                     {proxy, []string{"X-Forwarded-For: 203.0.113.1, " + person + ", 10.0.0.2"}, person},
		"headers one after the other":             {proxy, []string{"X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: " + person}, person},
		"all are proxies":                         {proxy, []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"with a port":                             {proxy, []string{"X-Forwarded-For: " + person + ":55"}, person},
		"IPv6":                                    {"[2001:db8:1::1]:55", []string{"X-Forwarded-For: 2001:db8:2::7"}, "2001:db8:2::7"},
		"IPv6 in brackets with a port":            {proxy, []string{"X-Forwarded-For: [2001:db8:2::7]:55"}, "2001:db8:2::7"},
		"IPv4 in IPv6":                            {"[::ffff:10.0.0.1]:55", []string{"X-Forwarded-For: ::ffff:" + person}, person},
		"a zone":                                  {proxy, []string{"X-Forwarded-For: fe80::7%eth0"}, "fe80::7"},
		"Forwarded":                               {proxy, []string{"Forwarded: for=203.0.113.1, by=10.0.0.1;For=" + person + ";proto=https"}, person},
		"Forwarded, quoted":                       {proxy, []string{`Forwarded: for="[2001:db8:2::7]:4711"`}, "2001:db8:2::7"},
		"both, and they agree":                    {proxy, []string{"Forwarded: for=" + person, "X-Forwarded-For: " + person}, person},
		"both, and one is made up":                {proxy, []string{"Forwarded: for=" + person, "X-Forwarded-For: 203.0.113.1"}, "10.0.0.1"},
		"garbage":                                 {proxy, []string{"X-Forwarded-For: a"}, "10.0.0.1"},
		"garbage before an address":               {proxy, []string{"X-Forwarded-For: a, " + person}, person},
		"garbage behind a proxy":                  {proxy, []string{"X-Forwarded-For: " + person + ", a, 10.0.0.2"}, "10.0.0.2"},
		"an empty header":                         {proxy, []string{"X-Forwarded-For: "}, "10.0.0.1"},
		"the address of nobody":                   {proxy, []string{"X-Forwarded-For: 0.0.0.0"}, "10.0.0.1"},
		"Forwarded with a name":                   {proxy, []string{"Forwarded: for=_hidden"}, "10.0.0.1"},
		"Forwarded for unknown":                   {proxy, []string{"Forwarded: for=unknown"}, "10.0.0.1"},
		"Forwarded that says for twice":           {proxy, []string{"Forwarded: for=203.0.113.1;for=" + person}, "10.0.0.1"},
		"10 kB of one hop":                        {proxy, []string{"X-Forwarded-For: " + strings.Repeat("9", 10<<10)}, "10.0.0.1"},
		"10 kB before the last hop":               {proxy, []string{"X-Forwarded-For: " + strings.Repeat("9", 10<<10) + ", " + person}, person},
		"ten thousand hops":                       {proxy, []string{"X-Forwarded-For: " + strings.Repeat("10.0.0.2,", 1000) + "10.0.0.2"}, "10.0.0.2"},
		"headers that name nobody, many times":    {proxy, []string{"X-Forwarded-For: a", "X-Forwarded-For: ,", "Forwarded: ;;;", "Forwarded: for"}, "10.0.0.1"},
		"X-Real-IP is nobody's word":              {proxy, []string{"X-Real-Ip: " + person}, "10.0.0.1"},
		"a listener without addresses":            {"@", []string{"X-Forwarded-For: " + person}, "nobody"},
		"a loopback peer that is not a proxy":     {"127.0.0.1:55", []string{"X-Forwarded-For: " + person}, "127.0.0.1"},
		"CR and LF cannot get here, a tab may":    {proxy, []string{"X-Forwarded-For: 203.0.113.1,\t" + person}, person},
		"a network is no address":                 {proxy, []string{"X-Forwarded-For: 198.51.100.0/24"}, "10.0.0.1"},
		"an address with leading zeros is none":   {proxy, []string{"X-Forwarded-For: 198.051.100.007"}, "10.0.0.1"},
		"brackets around IPv4":                    {proxy, []string{"X-Forwarded-For: [198.51.100.7]"}, "10.0.0.1"},
		"Forwarded that ends in the middle":       {proxy, []string{`Forwarded: for="[2001:db8:2::7`}, "10.0.0.1"},
		"a proxy that names itself as the origin": {proxy, []string{"X-Forwarded-For: 10.0.0.1"}, "10.0.0.1"},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := a.ask(c.peer, c.headers...); got != c.want {
				t.Errorf("the client is %s, want %s", got, c.want)
			}
			if peer, err := netip.ParseAddrPort(c.peer); err == nil && a.ginSays != peer.Addr().Unmap().String() && a.ginSays != peer.Addr().String() {
				t.Errorf("gin takes %s for the client", a.ginSays)
			}
		})
	}
}

func TestALoopbackPeerIsNobodyWhileNoProxyIsTrusted(t *testing.T) {
	a := newAsker()
	for _, peer := range []string{"127.0.0.1:5", "[::1]:5", "127.8.9.1:5", "[::ffff:127.0.0.1]:5"} {
		if got := a.ask(peer, "X-Forwarded-For: "+person); got != "nobody" {
			t.Errorf("%s is %s", peer, got)
		}
	}
	if got := a.ask(person + ":5"); got != person {
		t.Errorf("another peer is %s", got)
	}
	for _, told := range []string{"left out of budgets per client", "a forwarded header is ignored"} {
		if n := strings.Count(a.log.String(), told); n != 1 {
			t.Errorf("%q is told %d times", told, n)
		}
	}
	if strings.Count(a.log.String(), "NARTHEX_TRUSTED_PROXIES") < 2 || strings.Contains(a.log.String(), person) {
		t.Errorf("the log has no fix, or an address: %s", a.log.String())
	}
}

func TestAProxyThatNamesNobodyIsToldOfOnce(t *testing.T) {
	a := newAsker("10.0.0.0/8")
	for range 3 {
		a.ask(proxy, "X-Forwarded-For: garbage")
		a.ask(proxy, "X-Forwarded-For: 1.2.3.4", "Forwarded: for=5.6.7.8")
	}
	if n := strings.Count(a.log.String(), "name no client"); n != 1 || strings.Contains(a.log.String(), "garbage") {
		t.Errorf("told %d times: %s", n, a.log.String())
	}
}

// FuzzClient: whatever a header says, there is a client; and with an address at its end, which a proxy has put there,
// it is that one.
func FuzzClient(f *testing.F) {
	f.Add("203.0.113.1, a", `for="[::1]:4";by=x`)
	f.Add("", ",;=\"")
	f.Fuzz(func(t *testing.T, common, standard string) {
		a := newAsker("10.0.0.0/8")
		for _, headers := range [][]string{{"X-Forwarded-For: " + common}, {"Forwarded: " + standard}, {"X-Forwarded-For: " + common, "Forwarded: " + standard}} {
			if a.ask(proxy, headers...) == "nobody" {
				t.Errorf("%q: there is no client", headers)
			}
		}
		if got := a.ask(proxy, "X-Forwarded-For: "+common+", "+person); got != person {
			t.Errorf("%q leads away from the client to %s", common, got)
		}
	})
}
