package adminapi

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// allowedHosts returns which Host headers are answered: addresses, names of this machine's loopback, the configured
// host and further names. A site that lets its own name point here (DNS rebinding) brings that name.
func allowedHosts(listen string, further []string) func(string) bool {
	names := []string{"localhost"}
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" {
		names = append(names, strings.ToLower(host))
	}
	for _, name := range further {
		names = append(names, strings.ToLower(name))
	}
	return func(host string) bool {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
			return true
		}
		return slices.Contains(names, host) || strings.HasSuffix(host, ".localhost")
	}
}

// beyondLoopback tells whether other machines reach an address: by names, then, that nobody here knows.
func beyondLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	a, errAddr := netip.ParseAddr(host)
	return err == nil && (host == "" || errAddr == nil && !a.IsLoopback())
}
