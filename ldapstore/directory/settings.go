package directory

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Settings say where a directory is and who speaks to it.
type Settings struct {
	// URL of the one server that is written to: ldaps://host[:port], ldap://host[:port] (StartTLS is required) or
	// ldapi://%2Fpath%2Fof%2Fsocket.
	URL string
	// Readers are URLs of replicas that look-ups may go to instead: see Pool.Replicas. They get the same account and the same TLS settings.
	Readers []string

	// BindDN and Password are the service account's. Active Directory takes a userPrincipalName as well. An empty BindDN
	// is nobody (anonymous).
	BindDN   string
	Password string

	// CAFile holds the certificates (PEM) that a server's certificate must come from. Empty: the system's roots.
	CAFile string
	// ServerName is the name that must stand in the certificate. Empty: the URL's host.
	ServerName string
	// ClearText leaves TLS away for ldap:// on this machine's loopback. Anywhere else it is an error.
	ClearText bool

	// ConnectTimeout bounds each of: reaching the server, the StartTLS request, the TLS handshake, the bind. Default 5 s.
	ConnectTimeout time.Duration
	// RequestTimeout bounds each call, with the wait for a connection in it. Default 10 s.
	RequestTimeout time.Duration
	// Connections is how many there may be to a server, and as many again for checking passwords. Default 8.
	Connections int
	// IdleTime is how long an unused connection is kept. Default 1 minute.
	IdleTime time.Duration
}

// withDefaults fills in what was left out.
func (s Settings) withDefaults() Settings {
	if s.ConnectTimeout <= 0 {
		s.ConnectTimeout = 5 * time.Second
	}
	if s.RequestTimeout <= 0 {
		s.RequestTimeout = 10 * time.Second
	}
	if s.Connections <= 0 {
		s.Connections = 8
	}
	if s.IdleTime <= 0 {
		s.IdleTime = time.Minute
	}
	return s
}

// target is one server's address, and how to speak to it.
type target struct {
	network, address string
	tls              *tls.Config // nil: clear text, on this machine only
	startTLS         bool        // ask for TLS first
}

// target reads a URL. Its errors do not show the URL: somebody may have put a password there.
func (s Settings) target(text string) (target, error) {
	if path, ok := strings.CutPrefix(text, "ldapi://"); ok {
		path, err := url.PathUnescape(strings.TrimSuffix(path, "/"))
		if err != nil || !strings.HasPrefix(path, "/") {
			return target{}, errors.New("an ldapi:// URL names a socket by its absolute path, with %2F for each slash")
		}
		return target{network: "unix", address: path}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return target{}, errors.New("the URL of a directory cannot be read")
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.Hostname() == "" {
		return target{}, errors.New("the URL of a directory has a scheme, a host and perhaps a port, nothing else")
	}
	port := u.Port()
	switch u.Scheme {
	case "ldaps":
		if port == "" {
			port = "636"
		}
	case "ldap":
		if port == "" {
			port = "389"
		}
	default:
		return target{}, errors.New("the URL of a directory begins with ldaps://, ldap:// or ldapi://")
	}
	t := target{network: "tcp", address: net.JoinHostPort(u.Hostname(), port), startTLS: u.Scheme == "ldap"}
	if s.ClearText && u.Scheme == "ldap" {
		if !loopback(u.Hostname()) {
			return target{}, errors.New("a directory is spoken to without TLS on this machine's loopback only")
		}
		t.startTLS = false
		return t, nil
	}
	t.tls, err = s.tlsConfig(u.Hostname())
	return t, err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tlsConfig trusts the CA file alone where there is one: a private directory has no business with public authorities.
func (s Settings) tlsConfig(host string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if s.ServerName != "" {
		config.ServerName = s.ServerName
	}
	if s.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the directory's CA file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("the directory's CA file holds no certificate (PEM)")
	}
	return config, nil
}
