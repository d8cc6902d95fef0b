package directory_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// established counts this machine's connections to the server at url, as clients of which this process may be one: a
// server's address is its test's own.
func established(t testing.TB, url string) int {
	t.Helper()
	_, address, _ := strings.Cut(url, "://")
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	ip := net.ParseIP(host).To4()
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil || ip == nil {
		t.Fatalf("%s: %v", url, err)
	}
	// The kernel writes addresses with the last octet first.
	remote := strings.ToUpper(hex.EncodeToString([]byte{ip[3], ip[2], ip[1], ip[0]})) + fmt.Sprintf(":%04X", number)
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[2] == remote && fields[3] == "01" {
			count++
		}
	}
	return count
}
