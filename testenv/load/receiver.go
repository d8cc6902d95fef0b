package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// mail is what a person has to know of theirs.
type mail struct {
	code string
	at   time.Time
}

// receiver is a mail server that does as little as it can: its work is on the same machine.
type receiver struct {
	url string

	mu      sync.Mutex
	waiting map[string]chan mail
}

func newReceiver(r *run) *receiver {
	m := &receiver{waiting: map[string]chan mail{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{receiver: m}, nil }))
	server.Domain = "localhost"
	go func() { _ = server.Serve(listener) }()
	r.Cleanup(func() { _ = server.Close() })
	m.url = "smtp://" + listener.Addr().String() + "?tls=none"
	return m
}

// expect must be called before a mail can come; the channel gets it.
func (m *receiver) expect(address string) <-chan mail {
	arrived := make(chan mail, 1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting[address] = arrived
	return arrived
}

// session takes one mail after the other.
type session struct {
	*receiver
	to string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Reset()                               { s.to = "" }
func (s *session) Logout() error                        { return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = strings.ToLower(to)
	return nil
}

// lone is a code that stands alone on a line.
var lone = regexp.MustCompile(`(?m)^\s*(\d{4}) ?(\d{4})\s*$`)

func (s *session) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	at := time.Now()
	found := lone.FindSubmatch(content)
	if found == nil {
		return fmt.Errorf("no code in a mail of %d bytes", len(content))
	}
	s.mu.Lock()
	arrived := s.waiting[s.to]
	delete(s.waiting, s.to)
	s.mu.Unlock()
	if arrived != nil {
		arrived <- mail{string(bytes.Join(found[1:], nil)), at}
	}
	return nil
}
