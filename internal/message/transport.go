package message

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wneessen/go-mail"
)

// Letter is a mail that is ready to go.
type Letter struct {
	// ID names the message; a transport that gets the same one twice delivers it at most twice, under one Message-ID.
	ID string
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

// ErrRefused is a transport's answer to a letter that it will never take.
var ErrRefused = errors.New("the letter is refused")

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
	if err := m.To(l.To); err != nil || len(m.GetTo()) != 1 || m.GetTo()[0].Address != l.To || m.GetTo()[0].Name != "" {
		return nil, fmt.Errorf("recipient is not one plain address: %w", ErrRefused)
	}
	_, host, _ := strings.Cut(m.GetFrom()[0].Address, "@")
	m.SetMessageIDWithValue(l.ID + "@" + host)
	m.SetDate()
	m.Subject(l.Subject)
	// RFC 3834, section 5: no holiday reply to this.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	return m, nil
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
