package message

import (
	"strings"
)

// sizeClass is what all mails are filled up to a multiple of, in bytes on the wire: the two answers of a stealthy flow
// look alike from outside an encrypted connection.
const sizeClass = 4096

// The filling is a comment at the end of the HTML part. Its lines are short and plain, so that no encoding changes their
// length; each ends with two bytes on the wire.
const (
	fillBegin = "\n<!--\n"
	fillEnd   = "-->"
	fillLine  = 72
	// shortestFill is both ends and a line with one letter.
	shortestFill = len(fillBegin) + 2 + len(fillEnd) + 3
)

// sizeFor is the size that a mail of n bytes is filled up to.
func sizeFor(n int) int { return (n + shortestFill + sizeClass - 1) / sizeClass * sizeClass }

// filling returns what takes n bytes on the wire, for n of shortestFill and more.
func filling(n int) string {
	var b strings.Builder
	b.WriteString(fillBegin)
	for rest := n - len(fillBegin) - 2 - len(fillEnd); rest > 0; {
		line := min(rest, fillLine)
		if left := rest - line; left > 0 && left < 3 {
			line -= 3 - left // a last line needs three bytes
		}
		b.WriteString(strings.Repeat("fill.", fillLine/5+1)[:line-2] + "\n")
		rest -= line
	}
	b.WriteString(fillEnd)
	return b.String()
}

// size is the letter's length on the wire. What differs from one time to the next, its date and the border between its
// parts, always has the same length.
func (l Letter) size() (int, error) {
	m, err := l.message()
	if err != nil {
		return 0, err
	}
	var c counter
	_, err = m.WriteTo(&c)
	return c.n, err
}

// counter counts bytes as they are in SMTP's DATA: a dot at the beginning of a line is doubled (RFC 5321, section 4.5.2).
type counter struct {
	n    int
	last byte
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '.' && (c.last == '\n' || c.n == 0) {
			c.n++
		}
		c.n++
		c.last = b
	}
	return len(p), nil
}
