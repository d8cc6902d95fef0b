package message

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/narthex/narthex/internal/config"
)

// The pace of talking to a mail server. RFC 5321, section 4.5.3.2, allows it minutes: a message is kept and tried again,
// and a code would be dead by then.
const (
	stepLimit  = 10 * time.Second // a command, the handshake, a connection; the last reply may take what is left of the try
	quickLimit = 2 * time.Second  // is a kept connection still alive? And the farewell
	idleLimit  = 30 * time.Second // how long a connection is kept that nobody uses
	keptLimit  = 8                // how many are kept
)

// SMTP sends letters to a mail server (RFC 5321). Connections are kept for the next letter; every worker that sends at
// the same time has one of its own. It is made by NewSMTP.
type SMTP struct {
	server config.SMTP
	// hello is how this client calls itself.
	hello string
	roots *x509.CertPool
	// step and idle are stepLimit and idleLimit outside tests.
	step, idle time.Duration

	mu     sync.Mutex
	kept   []*session // the one that was used last comes last
	closed bool
}

// NewSMTP makes a transport to a mail server. hello is this machine's name for it, and roots are who may vouch for the
// server's certificate; nil: whom the system trusts. Nothing is connected before the first letter.
func NewSMTP(server config.SMTP, hello string, roots *x509.CertPool) *SMTP {
	return &SMTP{server: server, hello: hello, roots: roots, step: stepLimit, idle: idleLimit}
}

// envelope is a letter as it goes over the wire.
type envelope struct {
	from, to string
	// utf8: an address needs RFC 6531.
	utf8    bool
	content []byte
}

// Send implements Transport. A letter whose last reply was lost is sent again, under the same Message-ID.
func (s *SMTP) Send(ctx context.Context, l Letter) error {
	e, err := enclose(l)
	if err != nil {
		return err
	}
	for c := s.take(ctx); c != nil; c = s.take(ctx) {
		failure, began := s.hand(ctx, c, e)
		if failure == nil {
			return nil
		}
		if began || !failure.givenUp() {
			return failure
		}
		// The server had given this connection up: that says nothing about the letter.
	}
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	if failure, _ := s.hand(ctx, c, e); failure != nil {
		return failure
	}
	return nil
}

// hand sends a letter on a connection, which is kept if it can take another one. began tells whether the letter itself
// was under way.
func (s *SMTP) hand(ctx context.Context, c *session, e envelope) (failure *Failure, began bool) {
	stop := context.AfterFunc(ctx, c.abort)
	failure, began = c.send(e)
	if stop() && c.usable(failure) {
		s.keep(c)
	} else {
		c.abort()
	}
	if failure != nil && failure.Reply == 0 && ctx.Err() != nil {
		failure.Problem, failure.Cause = "the time for one try is up", nil
	}
	return failure, began
}

// enclose renders a letter, before anybody is bothered with it.
func enclose(l Letter) (envelope, error) {
	m, err := l.message()
	if err != nil {
		return envelope{}, err
	}
	from, err := m.GetSender(false)
	if err != nil {
		return envelope{}, &Failure{Kind: ErrRefused, Problem: "the letter has no sender"}
	}
	to, err := m.GetRecipients()
	if err != nil || len(to) != 1 {
		return envelope{}, &Failure{Kind: ErrRefused, Problem: "the letter has not one recipient"}
	}
	var content bytes.Buffer
	if _, err := m.WriteTo(&content); err != nil {
		return envelope{}, &Failure{Kind: ErrRefused, Problem: "the letter cannot be written"}
	}
	return envelope{from, to[0], !isASCII(from) || !isASCII(to[0]), content.Bytes()}, nil
}

// take returns a kept connection, or nil. Whether it is still alive shows when it is used.
func (s *SMTP) take(ctx context.Context) *session {
	for ctx.Err() == nil {
		s.mu.Lock()
		last := len(s.kept) - 1
		if last < 0 {
			s.mu.Unlock()
			return nil
		}
		c := s.kept[last]
		s.kept = s.kept[:last]
		s.mu.Unlock()
		c.idle.Stop()
		if c.begin() {
			return c
		}
		c.abort()
	}
	return nil
}

// keep holds a connection for the next letter, for a while.
func (s *SMTP) keep(c *session) {
	s.mu.Lock()
	if s.closed || len(s.kept) >= keptLimit {
		s.mu.Unlock()
		c.leave()
		return
	}
	defer s.mu.Unlock()
	s.kept = append(s.kept, c)
	c.idle = time.AfterFunc(s.idle, func() {
		s.mu.Lock()
		at := slices.Index(s.kept, c)
		if at >= 0 {
			s.kept = slices.Delete(s.kept, at, at+1)
		}
		s.mu.Unlock()
		if at >= 0 { // otherwise somebody has just taken it
			c.leave()
		}
	})
}

// Close ends the kept connections. Letters under way end theirs themselves.
func (s *SMTP) Close() error {
	s.mu.Lock()
	s.closed = true
	kept := s.kept
	s.kept = nil
	s.mu.Unlock()
	var all sync.WaitGroup
	for _, c := range kept {
		c.idle.Stop()
		all.Go(c.leave)
	}
	all.Wait()
	return nil
}
