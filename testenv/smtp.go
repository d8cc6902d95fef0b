package testenv

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// SMTPBehaviour is how a mail server treats its clients.
type SMTPBehaviour int

// The behaviours.
const (
	SMTPWell                 SMTPBehaviour = iota
	SMTPSlow                               // every letter takes a second
	SMTPSilent                             // takes connections and never says a word
	SMTPStalls                             // says no more once the letter has begun
	SMTPDropsBeforeReply                   // takes the letter and breaks the connection in place of the reply
	SMTPCloses                             // answers every letter with 421 and is gone
	SMTPOneLetter                          // takes one letter a connection, and answers the next with 421
	SMTPRefusesRecipients                  // 550
	SMTPRefusesLetters                     // 554 after the letter
	SMTPRefusesSenders                     // 553
	SMTPGreylists                          // 451 for every recipient
	SMTPNoSTARTTLS                         // offers none
	SMTPWrongName                          // its certificate is another server's
	SMTPUntrustedCertificate               // its certificate is its own
)

// SMTPOptions choose what a mail server is; the zero value takes everybody's letters and offers STARTTLS.
type SMTPOptions struct {
	// Username and Password are demanded when they are set.
	Username, Password string
	// Implicit: TLS from the first byte.
	Implicit bool
}

// SMTPServer is a mail server that keeps what it gets, and misbehaves as it is told to.
type SMTPServer struct {
	// Port on 127.0.0.1.
	Port int
	// Roots vouch for its certificate; CAFile holds the same as PEM.
	Roots  *x509.CertPool
	CAFile string

	t       testing.TB
	options SMTPOptions
	ca      authority

	mu        sync.Mutex
	behaviour SMTPBehaviour
	mails     []SMTPMail
	heard     bytes.Buffer
	accepted  int
	listener  net.Listener
	servers   []*smtp.Server
	conns     []net.Conn
	done      sync.WaitGroup
}

// SMTPMail is a letter as it came.
type SMTPMail struct {
	At time.Time
	// Hello, From and To as the client said them.
	Hello, From, To string
	// TLS: it came encrypted; UTF8: as RFC 6531 has it; Acknowledged: the client was told that it is taken.
	TLS, UTF8, Acknowledged bool
	Raw                     []byte
}

// Mail reads the letter.
func (m SMTPMail) Mail() (Mail, error) { return parseMail(bytes.NewReader(m.Raw)) }

// Octets is how long the letter was on the wire, where a dot at the beginning of a line is doubled.
func (m SMTPMail) Octets() int { return len(m.Raw) + bytes.Count(m.Raw, []byte("\r\n.")) }

// StartSMTP starts a mail server on a free loopback port.
func StartSMTP(t testing.TB, o SMTPOptions) *SMTPServer {
	t.Helper()
	s := &SMTPServer{t: t, options: o, ca: newAuthority(t)}
	s.Roots, s.CAFile = s.ca.pool(), s.ca.file(t)
	s.listen("127.0.0.1:0")
	s.Port = s.listener.Addr().(*net.TCPAddr).Port
	t.Cleanup(s.Stop)
	return s
}

// URL is what NARTHEX_SMTP_URL has to be.
func (s *SMTPServer) URL() string {
	u := url.URL{Scheme: "smtp", Host: fmt.Sprintf("127.0.0.1:%d", s.Port)}
	if s.options.Implicit {
		u.Scheme = "smtps"
	}
	if s.options.Username != "" {
		u.User = url.UserPassword(s.options.Username, s.options.Password)
	}
	return u.String()
}

// Behave changes how connections are treated that come from now on, and letters on all of them.
func (s *SMTPServer) Behave(b SMTPBehaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour = b
}

func (s *SMTPServer) behaving() SMTPBehaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.behaviour
}

// Stop ends the server and breaks every connection. Nobody listens any more.
func (s *SMTPServer) Stop() {
	s.mu.Lock()
	_ = s.listener.Close()
	servers, conns := s.servers, s.conns
	s.servers, s.conns = nil, nil
	s.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
	for _, server := range servers {
		_ = server.Close()
	}
	s.done.Wait()
}

// Restart begins to listen again, on the same port.
func (s *SMTPServer) Restart() { s.listen(fmt.Sprintf("127.0.0.1:%d", s.Port)) }

func (s *SMTPServer) listen(address string) {
	s.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatalf("start the mail server: %v", err)
	}
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	secure, clear := s.serve(true), s.serve(false)
	s.done.Go(func() {
		defer secure.Close()
		defer clear.Close()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.greet(&overheard{c, s}, secure, clear)
		}
	})
}

// serve runs a server that offers STARTTLS or does not; it gets its connections through what is returned.
func (s *SMTPServer) serve(secure bool) *handedListener {
	server := smtp.NewServer(smtp.BackendFunc(s.session))
	server.Domain, server.EnableSMTPUTF8, server.AllowInsecureAuth = "mail.test", true, true
	server.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		server.TLSConfig = &tls.Config{GetCertificate: s.certificate}
	}
	l := &handedListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	s.mu.Lock()
	s.servers = append(s.servers, server)
	s.mu.Unlock()
	s.done.Go(func() { _ = server.Serve(l) })
	return l
}

// greet treats a new connection as it has to be treated now.
func (s *SMTPServer) greet(c net.Conn, secure, clear *handedListener) {
	s.mu.Lock()
	s.accepted++
	s.conns = append(s.conns, c)
	b := s.behaviour
	s.mu.Unlock()
	switch {
	case b == SMTPSilent:
	case b == SMTPNoSTARTTLS:
		clear.hand(c)
	case s.options.Implicit:
		secure.hand(tls.Server(c, &tls.Config{GetCertificate: s.certificate}))
	default:
		secure.hand(c)
	}
}

func (s *SMTPServer) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	switch s.behaving() {
	case SMTPWrongName:
		return s.ca.elsewhere, nil
	case SMTPUntrustedCertificate:
		return s.ca.untrusted, nil
	default:
		return s.ca.here, nil
	}
}

// Mails returns what came for an address, oldest first.
func (s *SMTPServer) Mails(to string) []SMTPMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []SMTPMail
	for _, m := range s.mails {
		if strings.EqualFold(m.To, to) {
			found = append(found, m)
		}
	}
	return found
}

// WaitFor waits until n letters have come for an address and returns the last of them.
func (s *SMTPServer) WaitFor(to string, n int) (SMTPMail, error) {
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if found := s.Mails(to); len(found) >= n {
			return found[n-1], nil
		}
	}
	return SMTPMail{}, fmt.Errorf("letter %d to %s did not come", n, to)
}

// Code waits for the first letter to an address and returns the code in it.
func (s *SMTPServer) Code(to string) (string, error) {
	m, err := s.WaitFor(to, 1)
	if err != nil {
		return "", err
	}
	read, err := m.Mail()
	if err == nil && read.Code() == "" {
		err = fmt.Errorf("the mail to %s has no code: %s", to, read.Text)
	}
	return read.Code(), err
}

// Connections returns how many clients have come.
func (s *SMTPServer) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Overheard returns every byte that came over the wire, as somebody in between sees it.
func (s *SMTPServer) Overheard() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard.Bytes())
}
