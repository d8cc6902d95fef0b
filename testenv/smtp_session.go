package testenv

import (
	"crypto/subtle"
	"io"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// smtpSession is one client of an SMTPServer.
type smtpSession struct {
	server *SMTPServer
	conn   *smtp.Conn
	letter SMTPMail
	taken  int
}

func (s *SMTPServer) session(c *smtp.Conn) (smtp.Session, error) {
	session := &smtpSession{server: s, conn: c}
	if s.options.Username != "" {
		return &loggingIn{smtpSession: session}, nil
	}
	return session, nil
}

// Mail implements smtp.Session.
func (s *smtpSession) Mail(from string, o *smtp.MailOptions) error {
	_, secure := s.conn.TLSConnectionState()
	s.letter = SMTPMail{Hello: s.conn.Hostname(), From: from, TLS: secure, UTF8: o.UTF8}
	switch b := s.server.behaving(); {
	case b == SMTPRefusesSenders:
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "<" + from + "> may not send here"}
	case b == SMTPCloses, b == SMTPOneLetter && s.taken > 0:
		// A full stop, in place of this library's polite one.
		_, _ = io.WriteString(s.conn.Conn(), "421 4.3.2 the service is closing\r\n")
		return s.conn.Conn().Close()
	default:
		return nil
	}
}

// Rcpt implements smtp.Session.
func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.To = to
	switch s.server.behaving() {
	case SMTPRefusesRecipients:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + "> is nobody here"}
	case SMTPGreylists:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "<" + to + "> comes back later"}
	default:
		return nil
	}
}

// Data implements smtp.Session.
func (s *smtpSession) Data(r io.Reader) error {
	b := s.server.behaving()
	if b == SMTPStalls {
		_, _ = io.Copy(io.Discard, r)
		_, _ = s.conn.Conn().Read(make([]byte, 1)) // until the client goes
		return nil
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if b == SMTPSlow {
		time.Sleep(time.Second)
	}
	s.letter.At, s.letter.Raw, s.letter.Acknowledged = time.Now(), raw, b != SMTPDropsBeforeReply
	if b == SMTPRefusesLetters {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "<" + s.letter.To + "> does not like this"}
	}
	s.taken++
	s.server.mu.Lock()
	s.server.mails = append(s.server.mails, s.letter)
	s.server.mu.Unlock()
	if b == SMTPDropsBeforeReply {
		return s.conn.Conn().Close()
	}
	return nil
}

// Reset implements smtp.Session.
func (s *smtpSession) Reset() { s.letter = SMTPMail{} }

// Logout implements smtp.Session.
func (s *smtpSession) Logout() error { return nil }

// loggingIn is a client that has to say who it is first.
type loggingIn struct {
	*smtpSession
	known bool
}

// AuthMechanisms implements smtp.AuthSession.
func (l *loggingIn) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (l *loggingIn) Auth(string) (sasl.Server, error) {
	o := l.server.options
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != o.Username || subtle.ConstantTimeCompare([]byte(password), []byte(o.Password)) != 1 {
			return smtp.ErrAuthFailed
		}
		l.known = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (l *loggingIn) Mail(from string, o *smtp.MailOptions) error {
	if !l.known {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "who are you?"}
	}
	return l.smtpSession.Mail(from, o)
}
