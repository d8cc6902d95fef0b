package directory_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
)

const somebody = directory.DN("cn=a,dc=lab")

// call is one operation of each kind: a read, which may be repeated, and writes, which may not.
type call struct {
	name string
	do   func(context.Context, directory.Operations) error
}

var calls = []call{
	{"read", func(ctx context.Context, o directory.Operations) error {
		_, err := o.Read(ctx, somebody, "cn")
		return err
	}},
	{"search", func(ctx context.Context, o directory.Operations) error {
		_, err := o.Search(ctx, somebody, directory.Subtree, directory.Filter{}, 0, "cn")
		return err
	}},
	{"add", func(ctx context.Context, o directory.Operations) error { return o.Add(ctx, somebody, nil) }},
	{"modify", func(ctx context.Context, o directory.Operations) error {
		return o.Modify(ctx, somebody, nil, directory.Filter{})
	}},
	{"move", func(ctx context.Context, o directory.Operations) error {
		return o.Move(ctx, somebody, "cn=b,dc=lab", true, directory.Filter{})
	}},
	{"delete", func(ctx context.Context, o directory.Operations) error { return o.Delete(ctx, somebody) }},
}

// within fails if f takes longer than the deadlines of the settings allow, on a machine that may be busy.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	before := time.Now()
	f()
	if took := time.Since(before); took > limit+3*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestNoAnswer: whatever a server does instead of answering, the call ends in time, with the one thing that is known: it was
// sent, and what became of it is open.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	half := func(b []byte) []byte { return b[:len(b)-2] }
	faults := map[string]func(c net.Conn, id int64, operation *ber.Packet){
		"hangs":  func(c net.Conn, _ int64, _ *ber.Packet) { hang(c) },
		"closes": func(c net.Conn, _ int64, _ *ber.Packet) { c.Close() },
		"dies in an answer": func(c net.Conn, id int64, o *ber.Packet) {
			_, _ = c.Write(half(result(id, answers[o.Tag], 0)))
			c.Close()
		},
		"stops in an answer": func(c net.Conn, id int64, o *ber.Packet) {
			_, _ = c.Write(half(result(id, answers[o.Tag], 0)))
			hang(c)
		},
		"sends garbage":           func(c net.Conn, _ int64, _ *ber.Packet) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
		"answers another request": func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id+1, answers[o.Tag], 0)) },
		"answers the one before":  func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id-1, answers[o.Tag], 0)) },
		"answers another kind":    func(c net.Conn, id int64, _ *ber.Packet) { _, _ = c.Write(result(id, ldap.ApplicationBindResponse, 0)) },
		"says that it will close": func(c net.Conn, _ int64, _ *ber.Packet) {
			_, _ = c.Write(result(0, ldap.ApplicationExtendedResponse, 52))
		},
		"announces too much":          func(c net.Conn, _ int64, _ *ber.Packet) { _, _ = c.Write([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}) },
		"announces no length":         func(c net.Conn, _ int64, _ *ber.Packet) { _, _ = c.Write([]byte{0x30, 0x80}) },
		"nests too deep":              func(c net.Conn, id int64, _ *ber.Packet) { _, _ = c.Write(nested(id, 500)) },
		"sends no result code":        func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(empty(id, answers[o.Tag])) },
		"sends a code of the library": func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], 200)) },
		"sends a code out of range":   func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], 65536)) },
		"sends too long controls": func(c net.Conn, id int64, o *ber.Packet) {
			_, _ = c.Write(controlled(result(id, answers[o.Tag], 0), 100_000))
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var running sync.WaitGroup
			for _, call := range calls {
				running.Go(func() { unanswered(t, call, fault) })
			}
			running.Wait()
		})
	}
}

func unanswered(t *testing.T, call call, fault func(c net.Conn, id int64, operation *ber.Packet)) {
	var requests atomic.Int64
	server := startFault(t, afterBind(func(c net.Conn, id int64, operation *ber.Packet) {
		requests.Add(1)
		fault(c, id, operation)
	}))
	pool := open(t, server.settings())
	within(t, 3*short, func() {
		if err := call.do(t.Context(), pool); !errors.Is(err, directory.ErrUnanswered) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", call.name, err)
		}
	})
	if n := requests.Load(); n != 1 {
		t.Errorf("%s was sent %d times", call.name, n)
	}
}

func nested(id int64, depth int) []byte {
	inner := ber.NewSequence("")
	for range depth {
		outer := ber.NewSequence("")
		outer.AppendChild(inner)
		inner = outer
	}
	return message(id, inner)
}

func empty(id int64, operation ber.Tag) []byte {
	return message(id, ber.Encode(ber.ClassApplication, ber.TypeConstructed, operation, nil, ""))
}

func controlled(message []byte, size int) []byte {
	m, control := ber.DecodePacket(message), ber.NewSequence("")
	control.AppendChild(text("1.2.3"))
	control.AppendChild(text(strings.Repeat("x", size)))
	all := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	all.AppendChild(control)
	m.AppendChild(all)
	return m.Bytes()
}

// TestRefusals: the server's own word is passed on, and the connection stays.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, code := range []uint16{directory.NoSuchObject, directory.Referral, directory.AssertionFailed, directory.Busy, 80, 199} {
		server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], int(code))) }))
		pool := open(t, server.settings())
		for _, call := range calls {
			if err := call.do(t.Context(), pool); !directory.Refused(err, code) {
				t.Errorf("%s: code %d becomes %v", call.name, code, err)
			}
		}
		if server.accepted() != 1 {
			t.Errorf("%d connections were needed", server.accepted())
		}
	}
}

// TestReferencesAreNotFollowed: a server that points elsewhere gets nobody there, and no password.
func TestReferencesAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := startFault(t, hang)
	server := startFault(t, afterBind(func(c net.Conn, id int64, _ *ber.Packet) {
		reference := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
		reference.AppendChild(text("ldap://" + elsewhere.Addr().String() + "/dc=lab??sub"))
		_, _ = c.Write(append(append(found(id, "cn=a", "a"), message(id, reference)...), result(id, ldap.ApplicationSearchResultDone, 0)...))
	}))
	got, err := open(t, server.settings()).Search(t.Context(), somebody, directory.Subtree, directory.Filter{}, 0, "cn")
	if err != nil || len(got) != 1 || elsewhere.accepted() != 0 {
		t.Errorf("%v, %v, %d connections elsewhere", got, err, elsewhere.accepted())
	}
}

// TestLongAnswers: an answer costs bounded memory, however it is made up.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	for name, many := range map[string]func(id int64) []byte{
		"entries without end": func(id int64) []byte { return found(id, "cn=a", strings.Repeat("x", 1000)) },
		"tiny values":         func(id int64) []byte { return found(id, "cn=a", make([]string, 100_000)...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startFault(t, afterBind(func(c net.Conn, id int64, _ *ber.Packet) {
				for piece := many(id); ; {
					if _, err := c.Write(piece); err != nil {
						return
					}
				}
			}))
			settings := server.settings()
			settings.RequestTimeout = 30 * time.Second
			_, err := open(t, settings).Search(t.Context(), somebody, directory.Subtree, directory.Filter{}, 0, "cn")
			if !errors.Is(err, directory.ErrUnanswered) || !strings.Contains(err.Error(), "too long") {
				t.Error(err)
			}
		})
	}
}

// TestSockets: a socket on this machine needs no TLS.
func TestSockets(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ldapi")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			afterBind(func(c net.Conn, id int64, o *ber.Packet) { _, _ = c.Write(result(id, answers[o.Tag], 0)) })(c)
			c.Close()
		}
	}()
	c, err := directory.Dial(t.Context(), directory.Settings{URL: "ldapi://" + url.PathEscape(path) + "/", BindDN: "cn=svc", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Delete(t.Context(), somebody); err != nil {
		t.Error(err)
	}
	if _, ok := c.Secured(); ok {
		t.Error("there is TLS")
	}
}
