package directory_test

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
)

// TestConnecting: a server that cannot be spoken to makes a call fail in time, and nothing was sent.
func TestConnecting(t *testing.T) {
	t.Parallel()
	silent := startFault(t, hang)
	secure := silent.settings()
	secure.URL, secure.ClearText = "ldaps://"+silent.Addr().String(), false
	nobody := silent.settings()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	nobody.URL = "ldap://" + l.Addr().String()
	full := silent.settings()
	full.URL = "ldap://" + fullListener(t)
	refusing := startFault(t, func(c net.Conn) {
		if _, err := ber.ReadPacket(c); err == nil {
			_, _ = c.Write(result(1, ldap.ApplicationBindResponse, int(directory.InvalidCredentials)))
			hang(c)
		}
	})
	for name, settings := range map[string]directory.Settings{
		"nobody listens": nobody, "the queue of connections is full": full, "the TLS handshake hangs": secure,
		"the bind hangs": silent.settings(), "the service account is refused": refusing.settings(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings.ConnectTimeout = short
			var running sync.WaitGroup
			for _, call := range calls {
				running.Go(func() {
					pool := open(t, settings)
					within(t, 3*short, func() {
						if err := call.do(t.Context(), pool); !errors.Is(err, directory.ErrUnreachable) || directory.Refused(err) {
							t.Errorf("%s: %v", call.name, err)
						}
					})
				})
			}
			running.Wait()
			within(t, short, func() {
				c, err := directory.Dial(t.Context(), settings)
				if refused := directory.Refused(err, directory.InvalidCredentials); err == nil || !refused && !errors.Is(err, directory.ErrUnreachable) {
					t.Errorf("dial: %v, %v", c, err)
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := directory.Dial(ctx, settings); !errors.Is(err, directory.ErrUnreachable) || !errors.Is(err, context.Canceled) {
				t.Errorf("dial with an ended context: %v", err)
			}
		})
	}
}

// fullListener returns an address whose queue of connections is full: a connection is never made, and never refused.
func fullListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	t.Cleanup(func() { f.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}).String()
	for range 10 {
		c, err := net.DialTimeout("tcp", address, short)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("the queue does not fill up")
	return ""
}
