package message

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"github.com/narthex/narthex/internal/config"
)

// dial connects, secures the connection and logs in. Its errors are *Failure, and ErrDown: no letter was mentioned yet.
func (s *SMTP) dial(ctx context.Context) (*session, error) {
	dialer := net.Dialer{Timeout: s.step}
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.server.Host, strconv.Itoa(s.server.Port)))
	if err != nil {
		return nil, &Failure{Kind: ErrDown, Problem: "the mail server cannot be reached", Cause: err,
			Fix: "look whether it runs, and whether NARTHEX_SMTP_URL names it"}
	}
	c := newSession(raw, s.step)
	stop := context.AfterFunc(ctx, c.abort)
	failure := s.open(ctx, c)
	if failure == nil && stop() {
		return c, nil
	}
	c.abort()
	if failure == nil || ctx.Err() != nil {
		failure = &Failure{Kind: ErrDown, Problem: "the time for one try is up"}
	}
	return nil, failure
}

// open brings a fresh connection to where it takes letters.
func (s *SMTP) open(ctx context.Context, c *session) (failure *Failure) {
	var conn net.Conn = c.line
	if s.server.TLS == config.SMTPImplicit {
		secured := tls.Client(c.line, s.tls())
		if err := secured.HandshakeContext(ctx); err != nil {
			return tlsFailure(err)
		}
		conn = secured
	}
	var err error
	if c.client, err = smtp.NewClient(conn, s.server.Host); err != nil {
		return greetingFailure(err)
	}
	if err := c.client.Hello(s.hello); err != nil {
		return greetingFailure(err)
	}
	if failure := s.secure(c); failure != nil {
		return failure
	}
	return s.logIn(c)
}

// tls is what a secured connection demands: a certificate for the server's name, from somebody who is trusted.
// Opportunistic encryption accepts any (RFC 7435): whoever could forge one could suppress the encryption as well.
func (s *SMTP) tls() *tls.Config {
	return &tls.Config{
		ServerName: s.server.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: s.server.TLS == config.SMTPOpportunistic, //nolint:gosec // see above
	}
}

// secure changes to TLS where it is due (RFC 3207).
func (s *SMTP) secure(c *session) *Failure {
	offered, _ := c.client.Extension("STARTTLS")
	switch s.server.TLS {
	case config.SMTPImplicit, config.SMTPNone:
		return nil
	case config.SMTPOpportunistic:
		if !offered {
			return nil
		}
	case config.SMTPStartTLS:
		if !offered {
			return &Failure{Kind: ErrDown, Problem: "the mail server offers no STARTTLS, and nothing is sent in clear",
				Fix: "switch TLS on at the mail server, or begin NARTHEX_SMTP_URL with smtps:// where it has a port for that"}
		}
	}
	if err := c.client.StartTLS(s.tls()); err != nil {
		return tlsFailure(err)
	}
	if state, ok := c.client.TLSConnectionState(); !ok || !state.HandshakeComplete {
		return &Failure{Kind: ErrDown, Problem: "the connection to the mail server is not encrypted"}
	}
	return nil
}

func tlsFailure(err error) *Failure {
	f := greetingFailure(err)
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		f.Problem, f.Cause = "the mail server's certificate is not accepted", certificate.Err
		f.Fix = "name the server in NARTHEX_SMTP_URL as its certificate does, and make its authority known to this machine"
	}
	return f
}

// greetingFailure judges what goes wrong before any letter: the words of a reply are left out, as they always are.
func greetingFailure(err error) *Failure {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return &Failure{Kind: ErrDown, Problem: "the mail server does not let this client in", Reply: reply.Code}
	}
	return judgeSilence(stepMail, err)
}

// logIn authenticates (RFC 4954). A password is never sent in clear, unless it stays on this machine.
func (s *SMTP) logIn(c *session) *Failure {
	if s.server.Username == "" {
		return nil
	}
	if _, encrypted := c.client.TLSConnectionState(); !encrypted && !config.Loopback(s.server.Host) {
		return &Failure{Kind: ErrDown, Problem: "the connection to the mail server is not encrypted, and a password is never sent in clear",
			Fix: "demand TLS in NARTHEX_SMTP_URL"}
	}
	auth, err := s.mechanism(c)
	if err != nil {
		return &Failure{Kind: ErrDown, Problem: "the mail server offers no way to log in that is known here", Cause: err}
	}
	if err := c.client.Auth(auth); err != nil {
		f := &Failure{Kind: ErrDown, Problem: "the mail server refuses the user and the password", Fix: "correct them in NARTHEX_SMTP_URL"}
		var reply *textproto.Error
		switch {
		case !errors.As(err, &reply):
			return judgeSilence(stepMail, err)
		case reply.Code < 500: // RFC 4954: 454 is temporary
			f.Problem, f.Fix = "the mail server cannot check the password now", ""
		}
		f.Reply = reply.Code
		return f
	}
	return nil
}

// mechanism chooses how to log in. The connection is encrypted and the server known: plain is as good as any, and works
// with every store of passwords.
func (s *SMTP) mechanism(c *session) (smtp.Auth, error) {
	user, password, host := s.server.Username, s.server.Password.Reveal(), s.server.Host
	_, offered := c.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return smtp.PlainAuth("", user, password, host, true), nil
	case slices.Contains(mechanisms, "LOGIN"):
		return smtp.LoginAuth(user, password, host, true), nil
	case slices.Contains(mechanisms, "SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(user, password), nil
	default:
		return nil, fmt.Errorf("it offers %q; PLAIN, LOGIN and SCRAM-SHA-256 are known", mechanisms)
	}
}
