package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// A server's ports are always the same, as its address is its own. At guardPort nothing speaks: the process that took
// the address holds it there. All are below those that the system gives away.
const (
	guardPort  = 1388
	clearPort  = 1389
	securePort = 1636
)

// ownAddress takes an address of 127.0.0.0/8 for the rest of the test: no other test uses it, in whatever process. The
// servers' ports are fixed (Samba), and a server that is started again needs the port that it had.
func ownAddress(t testing.TB) net.IP {
	t.Helper()
	for range 1000 {
		ip := net.IPv4(127, byte(1+rand.IntN(250)), byte(rand.IntN(250)), byte(2+rand.IntN(250)))
		guard, err := net.Listen("tcp", fmt.Sprintf("%s:%d", ip, guardPort))
		if err != nil {
			continue
		}
		t.Cleanup(func() { guard.Close() })
		return ip
	}
	t.Fatal("take a loopback address: all that were tried are taken (does this machine have 127.0.0.0/8?)")
	return nil
}

// listenAt sets the URLs.
func (d *Directory) listenAt(clearPort, securePort int) {
	d.StartTLSURL = fmt.Sprintf("ldap://%s:%d", d.ip, clearPort)
	d.URL = fmt.Sprintf("ldaps://%s:%d", d.ip, securePort)
}
