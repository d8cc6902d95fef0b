package flow

import (
	"context"
	"net/netip"
)

// clientKey finds a request's client in its context.
type clientKey struct{}

// WithClient notes who makes a request: the address of the person's machine, as far as it is known. Without one, budgets
// per client leave the request out.
func WithClient(ctx context.Context, client netip.Addr) context.Context {
	return context.WithValue(ctx, clientKey{}, client)
}

// ClientFrom returns the client of a request; the zero Addr where nobody knows it.
func ClientFrom(ctx context.Context) netip.Addr {
	client, _ := ctx.Value(clientKey{}).(netip.Addr)
	return client.WithZone("").Unmap()
}

// Network is one of those that a client is in.
type Network struct {
	// Name is its prefix, such as 2001:db8::/64.
	Name string
	// Share is how many times as much as one client the network may have.
	Share int
}

// siteShare is what an IPv6 site (/48) has for each client (/64) in it: a site has 65,536 networks to choose from, so
// counting these alone would count nobody.
const siteShare = 10

// Networks returns the networks that budgets per client count by, the client's own first: one IPv4 address; of IPv6 the
// network of 64 bits, which is what one customer gets at the least, and the site of 48.
func Networks(client netip.Addr) []Network {
	switch {
	case !client.IsValid():
		return nil
	case client.Is4():
		return []Network{{prefix(client, 32), 1}}
	default:
		return []Network{{prefix(client, 64), 1}, {prefix(client, 48), siteShare}}
	}
}

func prefix(client netip.Addr, bits int) string {
	p, _ := client.Prefix(bits) // bits are never too many
	return p.String()
}
