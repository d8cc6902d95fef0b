package directory_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"sync"
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
	sha1 := forLoopback()
	sha1.SignatureAlgorithm = x509.ECDSAWithSHA1
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
		{"a certificate signed with SHA-1", ours.sign(t, sha1), 0, "", false},
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
			within(t, 3*short, func() {
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
