package message

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// Letter is a mail that is ready to go.
type Letter struct {
	// ID names the message; a transport that gets the same one twice delivers it at most twice, under one Message-ID.
	ID string
	// Date is when the message was composed: the same at every try.
	Date time.Time
	// From and To are one address each.
	From, To string
	Subject  string
	// Text and HTML say the same.
	Text, HTML string
}

// Transport hands letters on. An error that is ErrRefused is for good; every other one is tried again.
type Transport interface {
	Send(ctx context.Context, l Letter) error
}

// What errors of a transport may be.
var (
	// ErrRefused: the transport will never take this letter.
	ErrRefused = errors.New("the letter is refused")
	// ErrDown: the transport takes nobody's letter now. Trying others, too, is of no use.
	ErrDown = errors.New("no letter can be sent")
)

// Failure is why a transport did not take a letter, in words that hold nothing about anybody: they may be logged.
type Failure struct {
	// Kind is ErrRefused, ErrDown, or nil where this one letter is to be tried again.
	Kind error
	// Problem says what is wrong, and Fix what the operator can do about it; Fix may be empty.
	Problem, Fix string
	// Reply is the server's reply code (RFC 5321, section 4.2), or 0. The words next to it may hold the address, and
	// are left out.
	Reply int
	// Cause is an error from below, or nil; it comes from a time when no address was mentioned.
	Cause error
}

// Error implements error.
func (f *Failure) Error() string {
	text := f.Problem
	if f.Reply != 0 {
		text += fmt.Sprintf(" (reply %d)", f.Reply)
	}
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

// Unwrap makes errors.Is find the kind and the cause.
func (f *Failure) Unwrap() []error {
	var errs []error
	for _, err := range []error{f.Kind, f.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// message builds the mail (RFC 5322): text and HTML as alternatives, one recipient, nothing of what people entered in a
// header but their address.
func (l Letter) message() (*mail.Msg, error) {
	for _, field := range []string{l.ID, l.From, l.To, l.Subject} {
		if strings.ContainsFunc(field, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 }) {
			return nil, fmt.Errorf("a line break in a header: %w", ErrRefused)
		}
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(l.From); err != nil {
		return nil, fmt.Errorf("sender: %w", errors.Join(ErrRefused, err))
	}
	to := asciiDomain(l.To)
	if err := m.To(to); err != nil || len(m.GetTo()) != 1 || m.GetTo()[0].Address != to || m.GetTo()[0].Name != "" {
		return nil, fmt.Errorf("recipient is not one plain address: %w", ErrRefused)
	}
	from := m.GetFrom()[0]
	from.Address = asciiDomain(from.Address)
	_, host, _ := strings.Cut(from.Address, "@")
	m.SetMessageIDWithValue(l.ID + "@" + host)
	m.SetDateWithValue(l.Date.UTC())
	m.Subject(l.Subject)
	// RFC 3834, section 5: no holiday reply to this.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	return m, nil
}

// domains writes a host name in ASCII (RFC 5891). Addresses were judged when they were entered.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false))

// asciiDomain writes an address's domain in ASCII, so that every mail server understands it (RFC 6531 is needed for local
// parts only). It is the same mailbox; an address in ASCII stays as it was typed.
func asciiDomain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if domain := address[at+1:]; !isASCII(domain) {
		if ascii, err := domains.ToASCII(domain); err == nil {
			return address[:at+1] + ascii
		}
	}
	return address
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII })
}

// Files keeps letters as files instead of sending them, for development: one .eml file each, in a folder that only this
// user can read.
type Files struct{ Dir string }

// Send writes the letter. The same letter again replaces the file.
func (f Files) Send(_ context.Context, l Letter) error {
	m, err := l.message()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	tmp, err := os.CreateTemp(f.Dir, ".new-*")
	if err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // it is gone when all went well
	if _, err := m.WriteTo(tmp); err != nil {
		return errors.Join(fmt.Errorf("keep a mail: %w", err), tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	if err := os.Rename(tmp.Name(), filepath.Join(f.Dir, l.ID+".eml")); err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	return f.sync()
}

// sync makes the new name survive a power cut: the outbox forgets the letter next.
func (f Files) sync() error {
	dir, err := os.Open(f.Dir)
	if err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	return nil
}
