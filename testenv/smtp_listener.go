package testenv

import (
	"net"
	"sync"
)

// overheard keeps what the client sends.
type overheard struct {
	net.Conn
	server *SMTPServer
}

// Read implements net.Conn.
func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.Conn.Read(p)
	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	o.server.heard.Write(p[:n])
	return n, err
}

// handedListener is a listener whose connections are handed to it.
type handedListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *handedListener) hand(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (l *handedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *handedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *handedListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
