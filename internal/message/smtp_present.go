package message

import (
	"io"
	"net/textproto"
	"strings"
)

// present names sender and recipient and asks for leave to send the letter, which is then written and closed. A server
// that knows PIPELINING (RFC 2920) hears everything at once, others one command after the other.
func (c *session) present(e envelope) (io.WriteCloser, *Failure) {
	if has, _ := c.client.Extension("PIPELINING"); has {
		return c.presentAtOnce(e)
	}
	c.client.SkipSMTPUTF8(!e.utf8)
	if err := c.client.Mail(e.from); err != nil {
		return nil, judge(stepMail, err)
	}
	c.line.step = c.step
	if err := c.client.Rcpt(e.to); err != nil {
		return nil, judge(stepRecipient, err)
	}
	w, err := c.client.Data()
	if err != nil {
		return nil, judge(stepData, err)
	}
	return w, nil
}

func (c *session) presentAtOnce(e envelope) (io.WriteCloser, *Failure) {
	if strings.ContainsAny(e.from+e.to, "\r\n") {
		return nil, &Failure{Kind: ErrRefused, Problem: "an address has more than one line"}
	}
	text := c.client.Text
	if err := text.PrintfLine("MAIL FROM:%s%s\r\nRCPT TO:%s\r\nDATA", e.from, c.parameters(e), e.to); err != nil {
		return nil, judge(stepMail, err)
	}
	var failure *Failure // the first one: what follows comes of it
	for step, expected := range []int{stepMail: 250, stepRecipient: 25, stepData: 354} {
		_, _, err := text.ReadResponse(expected)
		c.line.step = c.step
		if err == nil {
			continue
		}
		answer := judge(step, err)
		if failure == nil {
			failure = answer
		}
		if answer.Reply == 0 || answer.Reply == replyClosing || step == stepData {
			return nil, failure
		}
	}
	letter := &letterWriter{text.DotWriter(), text}
	if failure != nil { // the server waits for a letter to nobody
		_ = letter.Close()
		return nil, failure
	}
	return letter, nil
}

// parameters are those of the command MAIL.
func (c *session) parameters(e envelope) (list string) {
	if has, _ := c.client.Extension("8BITMIME"); has {
		list += " BODY=8BITMIME"
	}
	if e.utf8 {
		list += " SMTPUTF8"
	}
	return list
}

// letterWriter is the content of a letter. Closing it asks whether the letter was taken.
type letterWriter struct {
	io.WriteCloser
	text *textproto.Conn
}

// Close implements io.Closer.
func (w *letterWriter) Close() error {
	if err := w.WriteCloser.Close(); err != nil {
		return err
	}
	_, _, err := w.text.ReadResponse(250)
	return err
}
