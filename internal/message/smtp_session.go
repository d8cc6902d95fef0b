package message

import (
	"errors"
	"net"
	"net/textproto"
	"os"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// session is a connection to a mail server that is ready for letters.
type session struct {
	client *smtp.Client
	line   *line
	step   time.Duration // the limit for one step
	idle   *time.Timer   // ends it while it is kept
	stuck  bool          // the last letter was refused, and the server may still wait for the rest of it
}

func newSession(conn net.Conn, step time.Duration) *session {
	s := &session{line: &line{Conn: conn}, step: step}
	s.line.renew(step)
	return s
}

// The commands that a letter takes.
const (
	stepMail = iota
	stepRecipient
	stepData
	stepEnd // the letter was handed over, and is acknowledged or not
)

// send hands one letter over. began tells whether a part of it may have arrived.
func (c *session) send(e envelope) (_ *Failure, began bool) {
	if has, _ := c.client.Extension("SMTPUTF8"); e.utf8 && !has {
		return &Failure{Kind: ErrRefused, Problem: "the mail server takes ASCII addresses only"}, false
	}
	c.stuck = true
	w, failure := c.present(e)
	if failure != nil {
		return failure, false
	}
	if _, err := w.Write(e.content); err != nil {
		return judge(stepEnd, err), true // not closed: that would make half a letter a whole one
	}
	// A server that looks for spam takes its time now. Who gives up too early sends the letter twice.
	c.line.step = sendLimit
	defer func() { c.line.step = c.step }()
	if err := w.Close(); err != nil {
		return judge(stepEnd, err), true
	}
	c.stuck = false
	return nil, true
}

// usable tells whether the connection can take another letter after what became of this one.
func (c *session) usable(failure *Failure) bool {
	return failure == nil || failure.Reply >= 400 && failure.Reply < 600 && failure.Reply != replyClosing
}

// begin prepares a kept connection for the next letter: what may be left of one that was refused is forgotten. Until the
// server takes the next one's sender, it must be quick. After a letter that was taken nothing is left (RFC 5321, section
// 4.1.1.4), and a connection that has died shows with the sender as well as with a question before it.
func (c *session) begin() (ready bool) {
	c.line.renew(quickLimit)
	return !c.stuck || c.client.Reset() == nil
}

// leave says goodbye, as is proper (RFC 5321, section 4.1.1.10).
func (c *session) leave() {
	c.line.renew(quickLimit)
	_ = c.client.Quit() // it is over either way
	c.abort()
}

// abort ends the connection at once, whoever uses it.
func (c *session) abort() { _ = c.line.Close() }

// Reply codes that are about the connection or its user, not about the letter (RFC 5321, section 4.2.3; RFC 4954,
// section 6).
const (
	replyClosing         = 421
	replySequence        = 503
	replyAuthentication  = 530
	replyMechanismWeak   = 534
	replyCredentials     = 535
	replyNeedsEncryption = 538
)

// givenUp tells whether a kept connection was no good any more, rather than the letter: it broke, or the server was not
// where it should have been.
func (f *Failure) givenUp() bool {
	return f.Reply == 0 || f.Reply == replyClosing || f.Reply == replySequence
}

// judge says what an error of a step means for the letter.
func judge(step int, err error) *Failure {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return judgeSilence(step, err)
	}
	f := &Failure{Reply: reply.Code}
	switch code := reply.Code; {
	case code == replyClosing:
		f.Problem = "the mail server closes the connection"
		f.Kind = downBeforeLetter(step)
	case code == replyAuthentication, code == replyMechanismWeak, code == replyCredentials, code == replyNeedsEncryption:
		f.Kind, f.Problem, f.Fix = ErrDown, "the mail server demands authentication", "put a user and a password into NARTHEX_SMTP_URL"
	case step == stepMail && code >= 500:
		f.Kind, f.Problem, f.Fix = ErrDown, "the mail server refuses the sender", "set NARTHEX_MAIL_FROM to an address that it takes from this client"
	case code == 500, code == 502, code == replySequence, code == 504, code < 400:
		f.Problem = "the mail server does not understand a command of SMTP"
		f.Kind = downBeforeLetter(step)
	case code >= 500 && step == stepRecipient:
		f.Kind, f.Problem = ErrRefused, "the mail server refuses the recipient"
	case code >= 500:
		f.Kind, f.Problem = ErrRefused, "the mail server refuses the letter"
	default:
		f.Problem = "the mail server puts the letter off"
		f.Kind = downBeforeLetter(step)
	}
	return f
}

// judgeSilence says what it means that no reply came.
func judgeSilence(step int, err error) *Failure {
	f := &Failure{Kind: downBeforeLetter(step), Problem: "the connection to the mail server broke", Cause: err}
	var garbled textproto.ProtocolError // it quotes the server
	switch {
	case errors.As(err, &garbled):
		f.Problem, f.Cause = "what answers is no mail server", nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		f.Problem, f.Cause = "the mail server does not answer", nil
	}
	return f
}

// downBeforeLetter: what goes wrong before a recipient is named would go wrong for everybody.
func downBeforeLetter(step int) error {
	if step == stepMail {
		return ErrDown
	}
	return nil
}
