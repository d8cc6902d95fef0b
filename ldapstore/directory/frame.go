package directory

import (
	"errors"
	"fmt"
	"io"
)

// Bounds of what a server may send. The library would take messages of 2 GB and nest them 1000 deep.
const (
	maxMessage  = 8 << 20  // octets of one message
	maxAnswer   = 64 << 20 // estimated octets of memory for all messages of one answer
	maxDepth    = 16       // a search result entry nests 6 deep
	maxControls = 64 << 10 // octets of the controls of one message
	elementCost = 256      // octets of memory that one BER element costs the library, about
)

// errNotLDAP says that a server sent something that is not an LDAP message (RFC 4511, section 5.1).
var errNotLDAP = errors.New("the directory sent what is not an LDAP message")

// readMessage reads exactly one message, never an octet more, and returns it with its length in header and the whole.
func readMessage(r io.Reader) ([]byte, error) {
	var header [6]byte
	if _, err := io.ReadFull(r, header[:2]); err != nil {
		return nil, err
	}
	if header[0] != 0x30 {
		return nil, errNotLDAP
	}
	size, length := 2, int(header[1])
	if length&0x80 != 0 {
		more := length & 0x7f
		if more == 0 || more > 4 { // indefinite (forbidden by RFC 4511), or longer than any bound
			return nil, errNotLDAP
		}
		if _, err := io.ReadFull(r, header[2:2+more]); err != nil {
			return nil, noEOF(err)
		}
		size, length = 2+more, 0
		for _, b := range header[2 : 2+more] {
			length = length<<8 | int(b)
		}
	}
	if length > maxMessage {
		return nil, fmt.Errorf("%w: it is too long", errNotLDAP)
	}
	return readBody(r, header[:size], length)
}

// readBody reads in pieces, so that a server that announces much and sends little costs little.
func readBody(r io.Reader, header []byte, length int) ([]byte, error) {
	const piece = 64 << 10
	message := append(make([]byte, 0, len(header)+min(length, piece)), header...)
	for length > 0 {
		n := min(length, piece)
		from := len(message)
		message = append(message, make([]byte, n)...)
		if _, err := io.ReadFull(r, message[from:]); err != nil {
			return nil, noEOF(err)
		}
		length -= n
	}
	return message, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// envelope is what inspect finds out about a message.
type envelope struct {
	id        int64
	operation byte // the tag of its operation
	elements  int  // how many BER elements it has
}

// inspect walks through a message without building anything.
func inspect(message []byte) (envelope, error) {
	var found envelope
	ends := make([]int, 0, maxDepth) // where the open constructed elements end
	at := 0
	for {
		for len(ends) > 0 && at == ends[len(ends)-1] {
			ends = ends[:len(ends)-1]
		}
		if at == len(message) {
			break
		}
		end := len(message)
		if len(ends) > 0 {
			end = ends[len(ends)-1]
		} else if found.elements > 0 {
			return envelope{}, errNotLDAP // more than one element at the top
		}
		tag := message[at]
		content, length, ok := elementAt(message[at:end])
		if !ok {
			return envelope{}, errNotLDAP
		}
		found.elements++
		at += content
		if len(ends) == 1 {
			if err := found.add(tag, message[at:at+length]); err != nil {
				return envelope{}, err
			}
		}
		if tag&0x20 == 0 {
			at += length
			continue
		}
		if len(ends) == maxDepth {
			return envelope{}, fmt.Errorf("%w: it is nested too deep", errNotLDAP)
		}
		ends = append(ends, at+length)
	}
	if found.operation == 0 {
		return envelope{}, errNotLDAP
	}
	return found, nil
}

// add takes in a direct part of the message: its id, its operation, its controls (RFC 4511, section 4.1.1).
func (e *envelope) add(tag byte, content []byte) error {
	ok := true
	switch {
	case e.elements == 2:
		e.id, ok = messageID(tag, content)
	case e.operation == 0:
		e.operation = tag
	case tag == 0xa0 && len(content) > maxControls:
		return fmt.Errorf("%w: its controls are too long", errNotLDAP)
	}
	if !ok {
		return errNotLDAP
	}
	return nil
}

// elementAt reads the header of the element that b begins with: where its content begins, and how long that is.
func elementAt(b []byte) (content, length int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f || b[0] == 0 { // high tags and end-of-contents occur nowhere in LDAP
		return 0, 0, false
	}
	content, length = 2, int(b[1])
	if length&0x80 != 0 {
		more := length & 0x7f
		if more == 0 || more > 4 || len(b) < 2+more {
			return 0, 0, false
		}
		content, length = 2+more, 0
		for _, octet := range b[2:content] {
			length = length<<8 | int(octet)
		}
	}
	return content, length, length <= len(b)-content
}

// messageID reads an INTEGER of 0 to maxInt (RFC 4511, section 4.1.1).
func messageID(tag byte, content []byte) (int64, bool) {
	if tag != 0x02 || len(content) == 0 || len(content) > 4 || content[0]&0x80 != 0 {
		return 0, false
	}
	var id int64
	for _, octet := range content {
		id = id<<8 | int64(octet)
	}
	return id, true
}
