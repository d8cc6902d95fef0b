package directory_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/narthex/narthex/ldapstore/directory"
)

// TestIdleConnections: a connection that died while nobody used it is nobody's concern, as long as nothing is done twice.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	t.Run("a read that meets a dying connection is sent again, a write is not", func(t *testing.T) {
		t.Parallel()
		for _, call := range calls {
			var requests, dying atomic.Int64
			server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) {
				if requests.Add(1) == 2 {
					dying.Add(1)
					c.Close()
					return
				}
				_, _ = c.Write(append(oneFound(id, o), result(id, answers[o.Tag], 0)...))
			}))
			pool := open(t, server.settings())
			if err := call.do(t.Context(), pool); err != nil {
				t.Fatal(call.name, err)
			}
			err := call.do(t.Context(), pool)
			read := call.name == "read" || call.name == "search"
			if read && (err != nil || requests.Load() != 3) || !read && (!errors.Is(err, directory.ErrUnanswered) || requests.Load() != 2) {
				t.Errorf("%s: %v after %d requests", call.name, err, requests.Load())
			}
			if err := call.do(t.Context(), pool); err != nil {
				t.Errorf("%s afterwards: %v", call.name, err)
			}
		}
	})
	t.Run("a read is sent again once, and not after a refusal or the deadline", func(t *testing.T) {
		t.Parallel()
		var requests atomic.Int64
		server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) {
			if requests.Add(1) == 1 {
				_, _ = c.Write(append(oneFound(id, o), result(id, answers[o.Tag], 0)...))
				return
			}
			c.Close()
		}))
		pool := open(t, server.settings())
		_, _ = pool.Read(t.Context(), somebody)
		if _, err := pool.Read(t.Context(), somebody); !errors.Is(err, directory.ErrUnanswered) || requests.Load() != 3 {
			t.Errorf("%v after %d requests", err, requests.Load())
		}
		var sent atomic.Int64
		hanging := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) {
			if sent.Add(1) == 1 {
				_, _ = c.Write(append(oneFound(id, o), result(id, answers[o.Tag], 0)...))
				return
			}
			hang(c)
		}))
		pool = open(t, hanging.settings())
		_, _ = pool.Read(t.Context(), somebody)
		if _, err := pool.Read(t.Context(), somebody); !errors.Is(err, directory.ErrUnanswered) || sent.Load() != 2 {
			t.Errorf("%v after %d requests", err, sent.Load())
		}
	})
	t.Run("one dying connection makes the others suspicious", func(t *testing.T) {
		t.Parallel()
		suspicious(t)
	})
	t.Run("a write finds a fresh connection when the server closed the old one", func(t *testing.T) {
		t.Parallel()
		server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) {
			_, _ = c.Write(result(id, answers[o.Tag], 0))
			c.Close()
		}))
		pool := open(t, server.settings())
		for range 3 {
			if err := pool.Delete(t.Context(), somebody); err != nil {
				t.Error(err)
			}
			time.Sleep(short / 5)
		}
	})
	t.Run("an unused connection is closed after a while", func(t *testing.T) {
		t.Parallel()
		closed := make(chan struct{}, 1)
		server := startFault(t, func(c net.Conn) {
			afterBind(func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], 0)) })(c)
			closed <- struct{}{}
		})
		settings := server.settings()
		settings.IdleTime = short
		pool := open(t, settings)
		if err := pool.Delete(t.Context(), somebody); err != nil {
			t.Fatal(err)
		}
		select {
		case <-closed:
		case <-time.After(8 * short):
			t.Error("it is still open")
		}
	})
	t.Run("a connection that came too late for one call serves the next", func(t *testing.T) {
		t.Parallel()
		server := startFault(t, func(c net.Conn) {
			time.Sleep(short)
			afterBind(func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], 0)) })(c)
		})
		pool := open(t, server.settings())
		eventually(t, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), short/2)
			defer cancel()
			return pool.Delete(ctx, somebody) == nil
		})
		if n := server.accepted(); n > 4 {
			t.Errorf("%d connections were made", n)
		}
	})
	t.Run("connections that fail after their callers left take no place", func(t *testing.T) {
		t.Parallel()
		var connections atomic.Int64
		server := startFault(t, func(c net.Conn) {
			if connections.Add(1) <= 3 {
				hang(c)
				return
			}
			afterBind(func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], 0)) })(c)
		})
		settings := server.settings()
		settings.Connections, settings.ConnectTimeout = 2, short
		pool := open(t, settings)
		eventually(t, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), short/2)
			defer cancel()
			return pool.Delete(ctx, somebody) == nil
		})
	})
	t.Run("a closed pool refuses", func(t *testing.T) {
		t.Parallel()
		server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], 0)) }))
		pool := open(t, server.settings())
		if err := pool.Delete(t.Context(), somebody); err != nil {
			t.Fatal(err)
		}
		pool.Close()
		if err := pool.Delete(t.Context(), somebody); !errors.Is(err, directory.ErrUnreachable) {
			t.Error(err)
		}
	})
}

// oneFound is the entry that a search finds; other operations find none.
func oneFound(id int64, operation *ber.Packet) []byte {
	if operation.Tag != 3 {
		return nil
	}
	return found(id, string(somebody), "a")
}

// suspicious: two connections are dying; a read finds out for one, and two writes at once are not risked on the other.
func suspicious(t *testing.T) {
	var connections atomic.Int64
	together := make(chan struct{})
	server := startFault(t, func(c net.Conn) {
		number, requests := connections.Add(1), 0
		afterBind(func(c net.Conn, id int64, o *ber.Packet) {
			if requests++; number <= 2 && requests == 2 {
				c.Close()
				return
			}
			if number <= 2 || o.Tag != 3 { // requests come in twos, each on a connection of its own
				select {
				case together <- struct{}{}:
				case <-together:
				case <-time.After(short):
				}
			}
			_, _ = c.Write(append(oneFound(id, o), result(id, answers[o.Tag], 0)...))
		})(c)
	})
	settings := server.settings()
	settings.RequestTimeout = 8 * short
	pool := open(t, settings)
	twice := func(call func() error) {
		var running sync.WaitGroup
		for range 2 {
			running.Go(func() {
				if err := call(); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
	}
	read := func() error { _, err := pool.Read(t.Context(), somebody); return err }
	twice(read)
	if err := read(); err != nil {
		t.Error(err)
	}
	twice(func() error { return pool.Delete(t.Context(), somebody) })
}
