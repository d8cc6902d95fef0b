package directory_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// No test may leave a goroutine of a connection behind: not after a fault either.
func TestMain(m *testing.M) {
	code := m.Run()
	left := ""
	for range 200 {
		if left = connectionGoroutines(); left == "" {
			os.Exit(code)
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "goroutines are left:\n"+left)
	os.Exit(1)
}

// connectionGoroutines returns the stacks that have to do with LDAP. The test environment keeps goroutines of its own.
func connectionGoroutines() string {
	buffer := make([]byte, 1<<20)
	var left []string
	for _, stack := range strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(stack, "go-ldap/ldap") || strings.Contains(stack, "ldapstore/directory.") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
