package directory_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
)

// recorder keeps what a client sent in clear.
type recorder struct {
	net.Conn
	mu   *sync.Mutex
	seen *bytes.Buffer
}

func (r recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.Write(b[:n])
	return n, err
}

// startTLSFault records what comes in and serves TLS with config, for ldaps:// or after StartTLS.
func startTLSFault(t *testing.T, config *tls.Config, startTLS bool) (settings directory.Settings, inClear func() string) {
	t.Helper()
	var mu sync.Mutex
	var seen bytes.Buffer
	server := startFault(t, func(raw net.Conn) {
		c := recorder{raw, &mu, &seen}
		if startTLS {
			if _, err := ber.ReadPacket(c); err != nil {
				return
			}
			_, _ = c.Write(result(1, ldap.ApplicationExtendedResponse, 0))
		}
		stream := tls.Server(c, config)
		defer stream.Close()
		afterBind(func(c net.Conn, id int64, o *ber.Packet) {
			_, _ = c.Write(append(found(id, "cn=a", "a"), result(id, answers[o.Tag], 0)...))
		})(stream)
	})
	settings = server.settings()
	settings.ClearText, settings.Password = false, "a-very-secret-password"
	if !startTLS {
		settings.URL = strings.Replace(settings.URL, "ldap:", "ldaps:", 1)
	}
	return settings, func() string {
		mu.Lock()
		defer mu.Unlock()
		return seen.String()
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	expired := forLoopback()
	expired.NotBefore, expired.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	elsewhere := &x509.Certificate{DNSNames: []string{"elsewhere.test"}}
	tests := []struct {
		rule        string
		certificate tls.Certificate
		most        uint16
		name        string
		accepted    bool
	}{
		{"a certificate of the authority for the host", ours.sign(t, forLoopback()), 0, "", true},
		{"a certificate for the name that is configured", ours.sign(t, forLoopback()), 0, "directory.test", true},
		{"a certificate of another authority", theirs.sign(t, forLoopback()), 0, "", false},
		{"a certificate signed by itself", authority{}.sign(t, forLoopback()), 0, "", false},
		{"an expired certificate", ours.sign(t, expired), 0, "", false},
		{"a certificate for another host", ours.sign(t, elsewhere), 0, "", false},
		{"a certificate for the host, but not for the name that is configured", ours.sign(t, forLoopback()), 0, "other.test", false},
		{"TLS 1.2", ours.sign(t, forLoopback()), tls.VersionTLS12, "", true},
		{"TLS 1.1", ours.sign(t, forLoopback()), tls.VersionTLS11, "", false},
	}
	for _, test := range tests {
		for _, startTLS := range []bool{false, true} {
			t.Run(test.rule, func(t *testing.T) {
				t.Parallel()
				config := &tls.Config{Certificates: []tls.Certificate{test.certificate}, MinVersion: tls.VersionTLS10, MaxVersion: test.most}
				settings, inClear := startTLSFault(t, config, startTLS)
				settings.CAFile, settings.ServerName, settings.ConnectTimeout = ours.file(t), test.name, 5*time.Second
				settings.RequestTimeout = 5 * time.Second
				_, err := open(t, settings).Read(t.Context(), somebody, "cn")
				if test.accepted && err != nil || !test.accepted && !errors.Is(err, directory.ErrUnreachable) {
					t.Errorf("StartTLS %v: %v", startTLS, err)
				}
				if strings.Contains(inClear(), settings.Password) {
					t.Error("the password went out in clear")
				}
			})
		}
	}
}

// TestStartTLSWithoutTLS: a server that cannot, will not, or pretends, is never told a password.
func TestStartTLSWithoutTLS(t *testing.T) {
	t.Parallel()
	tests := map[string]func(c net.Conn){
		"refuses":                 func(c net.Conn) { _, _ = c.Write(result(1, ldap.ApplicationExtendedResponse, 2)); hang(c) },
		"refers":                  func(c net.Conn) { _, _ = c.Write(result(1, ldap.ApplicationExtendedResponse, 10)); hang(c) },
		"answers another request": func(c net.Conn) { _, _ = c.Write(result(2, ldap.ApplicationExtendedResponse, 0)); hang(c) },
		"answers a bind":          func(c net.Conn) { _, _ = c.Write(result(1, ldap.ApplicationBindResponse, 0)); hang(c) },
		"sends garbage":           func(c net.Conn) { _, _ = c.Write([]byte("500 what?\r\n")); hang(c) },
		"hangs":                   hang,
		"hangs in the handshake":  func(c net.Conn) { _, _ = c.Write(result(1, ldap.ApplicationExtendedResponse, 0)); hang(c) },
		"closes":                  func(net.Conn) {},
		"appends clear text": func(c net.Conn) {
			_, _ = c.Write(append(result(1, ldap.ApplicationExtendedResponse, 0), result(2, ldap.ApplicationBindResponse, 0)...))
			hang(c)
		},
	}
	for name, serve := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var seen bytes.Buffer
			server := startFault(t, func(raw net.Conn) {
				c := recorder{raw, &mu, &seen}
				if _, err := ber.ReadPacket(c); err == nil {
					serve(c)
				}
			})
			settings := server.settings()
			settings.ClearText, settings.Password = false, "a-very-secret-password"
			pool := open(t, settings)
			within(t, 2*short, func() {
				if err := pool.Delete(t.Context(), somebody); !errors.Is(err, directory.ErrUnreachable) || directory.Refused(err) {
					t.Error(err)
				}
			})
			pool.Close()
			if _, err := directory.Dial(t.Context(), settings); name == "refuses" && !directory.Refused(err, directory.ProtocolError) {
				t.Errorf("an admin is told %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if strings.Contains(seen.String(), settings.Password) || strings.Contains(seen.String(), settings.BindDN) {
				t.Error("a bind went out in clear")
			}
		})
	}
}

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
			var running sync.WaitGroup
			for _, call := range calls {
				running.Go(func() {
					pool := open(t, settings)
					within(t, 2*short, func() {
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

func TestSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	noCertificate := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(noCertificate, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, settings := range map[string]directory.Settings{
		"no URL":                        {},
		"another scheme":                {URL: "https://directory.test"},
		"a password in the URL":         {URL: "ldaps://cn=svc:hunter2@directory.test"},
		"an unreadable URL":             {URL: "ldaps://hunter2\x7f"},
		"a base in the URL":             {URL: "ldaps://directory.test/dc=lab"},
		"no host":                       {URL: "ldaps://"},
		"a relative socket":             {URL: "ldapi://slapd"},
		"no TLS to another machine":     {URL: "ldap://192.0.2.1", ClearText: true},
		"no TLS to a name":              {URL: "ldap://directory.test", ClearText: true},
		"no CA file":                    {URL: "ldaps://directory.test", CAFile: "/nonexistent"},
		"a CA file without certificate": {URL: "ldaps://directory.test", CAFile: noCertificate},
		"an account without password":   {URL: "ldaps://directory.test", BindDN: "cn=svc"},
		"a bad reader":                  {URL: "ldaps://directory.test", Readers: []string{"ldap://"}},
	} {
		if _, err := directory.Open(settings); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
