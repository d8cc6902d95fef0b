package sqlstore_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// wire stands between a store and PostgreSQL and breaks connections.
type wire struct {
	server string
	mu     sync.Mutex
	open   []net.Conn
	// cut breaks a connection when it carries this word to the server: before it arrives there, or behind it, so that
	// only the answer is lost. "" cuts nothing.
	cut    atomic.Pointer[string]
	behind atomic.Bool
	broken atomic.Int64
}

// wired returns the URL of a database whose connections go over the wire.
func wired(t *testing.T, dsn string) (string, *wire) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{server: u.Host}
	t.Cleanup(func() { _ = l.Close(); w.breakAll() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(client)
		}
	}()
	u.Host = l.Addr().String()
	return u.String(), w
}

func (w *wire) carry(client net.Conn) {
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		_ = client.Close()
		return
	}
	w.mu.Lock()
	w.open = append(w.open, client, server)
	w.mu.Unlock()
	// deaf says that the client hears nothing more, answered that the server has said something since.
	var deaf atomic.Bool
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		defer func() { _ = client.Close() }()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil || deaf.Load() {
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	defer func() { _, _ = client.Close(), server.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		word := w.cut.Load()
		cut := word != nil && bytes.Contains(buf[:n], []byte(*word))
		if cut {
			w.broken.Add(1)
		}
		if cut && !w.behind.Load() {
			return
		}
		deaf.Store(cut)
		_, _ = server.Write(buf[:n])
		if cut {
			<-answered // the server has done what it was told, before the client may ask what became of it
		}
		if cut || err != nil {
			return
		}
	}
}

func (w *wire) cutAt(word string, behind bool) {
	w.behind.Store(behind)
	w.cut.Store(&word)
}

func (w *wire) heal() { w.cut.Store(nil) }

func (w *wire) breakAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.open = nil
}
