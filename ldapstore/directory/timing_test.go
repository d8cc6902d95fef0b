package directory_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
)

// TestUnreadRequests: a server that reads no more fills the socket's buffers; the request never went out whole, so it never
// happens.
func TestUnreadRequests(t *testing.T) {
	t.Parallel()
	server := startFault(t, func(c net.Conn) {
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		packet, err := ber.ReadPacket(c)
		if err != nil {
			return
		}
		_, _ = c.Write(result(packet.Children[0].Value.(int64), ldap.ApplicationBindResponse, 0))
		<-t.Context().Done() // and reads nothing more
	})
	pool := open(t, server.settings())
	large := []directory.Attribute{{"jpegPhoto", []string{strings.Repeat("x", 6<<20)}}}
	within(t, 10*time.Second, func() { // most of it is making the request; without a deadline it would be for ever
		if err := pool.Add(t.Context(), somebody, large); !errors.Is(err, directory.ErrUnreachable) || errors.Is(err, directory.ErrUnanswered) {
			t.Error(err)
		}
	})
}

// TestLateAnswers: what comes after the deadline meets nobody, and the next request has a connection of its own.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) {
		if requests.Add(1) == 1 {
			time.Sleep(4 * short)
		}
		_, _ = c.Write(append(found(id, "cn=a", string(bytes.Repeat([]byte("x"), int(id)))), result(id, answers[o.Tag], 0)...))
	}))
	pool := open(t, server.settings())
	if _, err := pool.Read(t.Context(), somebody, "cn"); !errors.Is(err, directory.ErrUnanswered) {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := pool.Read(t.Context(), somebody, "cn"); err != nil {
			t.Error(err)
		}
		time.Sleep(short)
	}
	if server.accepted() != 2 {
		t.Errorf("%d connections", server.accepted())
	}
}

// TestAnswersTooMany: a connection on which something comes unasked is not used again.
func TestAnswersTooMany(t *testing.T) {
	t.Parallel()
	server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) {
		_, _ = c.Write(result(id, answers[o.Tag], 0))
		time.Sleep(short / 5)
		_, _ = c.Write(result(id, answers[o.Tag], 0))
	}))
	pool := open(t, server.settings())
	for range 2 {
		if err := pool.Delete(t.Context(), somebody); err != nil {
			t.Error(err)
		}
		time.Sleep(short)
	}
	if server.accepted() != 2 {
		t.Errorf("%d connections", server.accepted())
	}
}

// TestCancelledCalls: the caller's context ends a call at once, and says so only if nothing was sent.
func TestCancelledCalls(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 10)
	server := startFault(t, afterBind(func(c net.Conn, _ int64, _ *ber.Packet) { reached <- struct{}{}; hang(c) }))
	settings := server.settings()
	settings.RequestTimeout, settings.Connections = time.Minute, 1
	pool := open(t, settings)
	ctx, cancel := context.WithCancel(t.Context())
	outcome := make(chan error)
	go func() { outcome <- pool.Delete(ctx, somebody) }()
	<-reached
	waiting, stop := context.WithTimeout(t.Context(), short) // the one connection is busy
	defer stop()
	if err := pool.Delete(waiting, somebody); !errors.Is(err, directory.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call that had to wait: %v", err)
	}
	cancel()
	if err := <-outcome; !errors.Is(err, directory.ErrUnanswered) || errors.Is(err, context.Canceled) {
		t.Errorf("a call that was sent: %v", err)
	}
	if err := pool.Delete(ctx, somebody); !errors.Is(err, directory.ErrUnreachable) || !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was not: %v", err)
	}
}
