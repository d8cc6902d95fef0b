package guard

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
)

// Bounds of what is read of forwarded headers: more than that no chain of proxies needs.
const (
	maxForwardedBytes = 2048
	maxForwardedHops  = 32
)

// clients finds out who makes a request: its peer, or, when the peer is a trusted proxy, whom that names. Nothing that a
// header holds is an error: what cannot be read leaves the request with the last one who is known.
type clients struct {
	trusted []netip.Prefix
	log     *slog.Logger
	// Each is told once.
	ignored, left, unreadable sync.Once
}

// note puts the client into the request's context, for budgets.
func (k *clients) note(c *gin.Context) {
	c.Request = c.Request.WithContext(flow.WithClient(c.Request.Context(), k.client(c.Request)))
}

// client returns the request's client. It is the zero Addr for a loopback peer while no proxy is trusted: that is a
// gateway which nobody has named, and everybody behind it would share the budgets of one.
func (k *clients) client(r *http.Request) netip.Addr {
	peer := peerOf(r)
	if !k.trusts(peer) {
		k.warnIgnored(r)
		if len(k.trusted) == 0 && peer.IsLoopback() {
			k.left.Do(func() {
				k.log.Warn("requests from a loopback address are left out of budgets per client, because they come from a gateway and not from a person",
					"fix", "set NARTHEX_TRUSTED_PROXIES to the gateway's address, and let it send X-Forwarded-For or Forwarded")
			})
			return netip.Addr{}
		}
		return peer
	}
	client, clear := k.named(peer, r.Header)
	if !clear {
		k.unreadable.Do(func() {
			k.log.Warn("a trusted proxy sent forwarded headers that name no client, or two; such requests are counted as the proxy's own",
				"fix", "let the proxy set one of X-Forwarded-For and Forwarded to the client's address, and remove the other")
		})
	}
	return client
}

// named returns whom a trusted peer names, in X-Forwarded-For or in Forwarded (RFC 7239). Where both are there they must
// name the same client: a proxy that writes one of them passes the other on as the client made it up. The peer itself
// is the answer, and not a clear one, where nobody can tell.
func (k *clients) named(peer netip.Addr, h http.Header) (client netip.Addr, clear bool) {
	common, standard := h.Values("X-Forwarded-For"), h.Values("Forwarded")
	client, clear = k.follow(peer, lastHops(common))
	if len(standard) == 0 {
		return client, clear
	}
	var hops []string
	for _, element := range lastHops(standard) {
		hops = append(hops, forParameter(element))
	}
	other, alsoClear := k.follow(peer, hops)
	switch {
	case len(common) == 0:
		return other, alsoClear
	case client != other || !alsoClear:
		return peer, false
	}
	return client, clear
}

// follow walks from the peer towards the client, as long as each hop is trusted: the first that is not is the client.
// Where a hop is no address, nobody knows who is behind it, and the client is whoever stands before. clear is false then.
func (k *clients) follow(peer netip.Addr, hops []string) (client netip.Addr, clear bool) {
	client = peer
	for _, hop := range slices.Backward(hops) {
		next, ok := addressOf(hop)
		if !ok {
			return client, false
		}
		client = next
		if !k.trusts(client) {
			return client, true
		}
	}
	return client, true
}

func (k *clients) trusts(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(k.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// peerOf is who is connected; the zero Addr where the listener has no addresses.
func peerOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(peer.Addr())
}

// plain is an address as networks are compared with it: an IPv4 address in IPv6 is IPv4, and a zone says nothing.
func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// lastHops splits a header's values at commas, from the end, and no further than is ever needed.
func lastHops(values []string) (hops []string) {
	left := maxForwardedBytes
	for _, value := range slices.Backward(values) {
		for {
			at := strings.LastIndexByte(value, ',')
			if len(hops) == maxForwardedHops || len(value)-at > left {
				slices.Reverse(hops)
				return hops
			}
			left -= len(value) - at
			hops = append(hops, strings.Trim(value[at+1:], " \t"))
			if at < 0 {
				break
			}
			value = value[:at]
		}
	}
	slices.Reverse(hops)
	return hops
}

// forParameter returns the node that an element of Forwarded names (RFC 7239, section 4), "" where it names none. Quoted
// texts need no unescaping: no address has anything to escape. A node name with a comma or semicolon is none.
func forParameter(element string) string {
	node := ""
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !strings.EqualFold(name, "for") {
			continue
		}
		if node != "" {
			return "" // twice: nobody can tell which
		}
		node = value
		if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
			node = value[1 : len(value)-1]
		}
	}
	return node
}

// addressOf reads a hop: an address, an address with a port, or an IPv6 address in brackets, which may have one.
func addressOf(hop string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(hop); err == nil {
		return usable(a)
	}
	if inner, closed := strings.CutPrefix(hop, "["); closed && strings.HasSuffix(inner, "]") {
		a, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !a.Is6() {
			return netip.Addr{}, false
		}
		return usable(a)
	}
	a, err := netip.ParseAddrPort(hop)
	if err != nil {
		return netip.Addr{}, false
	}
	return usable(a.Addr())
}

// usable refuses what is the address of nobody.
func usable(a netip.Addr) (netip.Addr, bool) {
	a = plain(a)
	return a, !a.IsUnspecified() && !a.IsMulticast()
}

// forwardedHeaders are what a proxy says of its client.
var forwardedHeaders = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// warnIgnored tells the operator once that the word of somebody who is not trusted is not taken.
func (k *clients) warnIgnored(r *http.Request) {
	for _, name := range forwardedHeaders {
		if _, sent := r.Header[http.CanonicalHeaderKey(name)]; sent {
			k.ignored.Do(func() {
				k.log.Warn("a forwarded header is ignored", "header", name,
					"fix", "if the peer is your proxy, list its address in NARTHEX_TRUSTED_PROXIES; if not, nothing: links and cookies follow NARTHEX_PUBLIC_URL, never this header")
			})
			return
		}
	}
}
