package directory

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// wire stands between a socket and the LDAP library and sees to what the library leaves out: whole messages of bounded
// size and shape only, answers to the one request that is under way only, and a record of whether a request went out.
type wire struct {
	net.Conn          // what is read and written: the socket, or TLS upon it
	socket   net.Conn // closing it ends every read and write at once, without TLS's farewell

	writing sync.Mutex
	dead    bool // nothing is written any more
	sent    bool // the request went out, to its last octet

	awaited  atomic.Pointer[envelope] // the request under way, or nil
	received atomic.Int64             // what its answer has cost so far
	fault    atomic.Pointer[error]

	unread []byte // the rest of a message
}

func newWire(stream, socket net.Conn) *wire { return &wire{Conn: stream, socket: socket} }

// begin readies the wire for one request.
func (w *wire) begin() {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.sent = false
}

// end says that the request has its answer: nothing more is expected.
func (w *wire) end() { w.awaited.Store(nil) }

// abort makes every read and write fail from now on.
func (w *wire) abort() { _ = w.socket.Close() }

// settle ends the wire for good and tells whether the request may have reached the server. A request of which the system
// did not take the last octet is incomplete for ever, so the server can never execute it.
func (w *wire) settle() (sent bool) {
	w.abort()
	w.writing.Lock()
	defer w.writing.Unlock()
	w.dead = true
	return w.sent
}

// Write sends one request.
func (w *wire) Write(message []byte) (int, error) {
	request, err := inspect(message)
	if err != nil {
		return 0, err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.dead {
		return 0, net.ErrClosed
	}
	w.received.Store(0)
	w.awaited.Store(&request)
	n, err := w.Conn.Write(message)
	w.sent = err == nil
	return n, err
}

// Read returns octets of whole messages that have been looked through.
func (w *wire) Read(b []byte) (int, error) {
	if len(w.unread) == 0 {
		message, err := w.next()
		if err != nil {
			w.fault.Store(&err)
			return 0, err
		}
		w.unread = message
	}
	n := copy(b, w.unread)
	w.unread = w.unread[n:]
	return n, nil
}

func (w *wire) next() ([]byte, error) {
	message, err := readMessage(w.Conn)
	if err != nil {
		return nil, err
	}
	answer, err := inspect(message)
	if err != nil {
		return nil, err
	}
	if request := w.awaited.Load(); request == nil || !answer.answers(*request) {
		return nil, fmt.Errorf("%w: it answers no request", errNotLDAP)
	}
	if w.received.Add(int64(len(message)+answer.elements*elementCost)) > maxAnswer {
		return nil, fmt.Errorf("%w: the answer is too long", errNotLDAP)
	}
	return message, nil
}

// answers tells whether a message has the id of the request and is of a kind that answers it (RFC 4511, section 4.2 to
// 4.12). A notice of disconnection (section 4.4.1), id 0, answers none.
func (e envelope) answers(request envelope) bool {
	if e.id != request.id {
		return false
	}
	switch request.operation {
	case 0x63: // search: entry, reference, done
		return e.operation == 0x64 || e.operation == 0x73 || e.operation == 0x65
	case 0x4a: // delete
		return e.operation == 0x6b
	}
	return e.operation == request.operation+1
}
