package message

import (
	"errors"
	"net"
	"time"
)

// replyLimit bounds what a mail server may say around one letter, in bytes, certificates included.
const replyLimit = 256 << 10

// line is a connection on which every step has a time limit and the other side cannot talk for ever. What is written
// leaves in one piece, when an answer is asked for: in SMTP nobody speaks unasked.
type line struct {
	net.Conn
	step   time.Duration // for one step
	left   int           // bytes that may still come
	err    error         // the first failure; nothing works after it
	unsaid []byte        // what was written and is not sent yet
}

// renew begins to count anew.
func (l *line) renew(step time.Duration) { l.step, l.left = step, replyLimit }

var errTalks = errors.New("the mail server does not stop talking")

// Read implements net.Conn.
func (l *line) Read(p []byte) (n int, err error) {
	l.say()
	if l.err == nil {
		l.err = l.SetReadDeadline(time.Now().Add(l.step))
	}
	if l.err != nil {
		return 0, l.err
	}
	n, l.err = l.Conn.Read(p)
	if l.left -= n; l.left < 0 {
		l.err = errTalks
	}
	return n, l.err
}

// say sends what was written.
func (l *line) say() {
	if len(l.unsaid) == 0 || l.err != nil {
		return
	}
	if l.err = l.SetWriteDeadline(time.Now().Add(l.step)); l.err == nil {
		_, l.err = l.Conn.Write(l.unsaid)
	}
	l.unsaid = l.unsaid[:0]
}

// Write implements net.Conn. Its errors come with the next Read.
func (l *line) Write(p []byte) (n int, err error) {
	if l.err != nil {
		return 0, l.err
	}
	l.unsaid = append(l.unsaid, p...)
	return len(p), nil
}
