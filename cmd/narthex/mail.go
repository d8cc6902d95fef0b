package main

import (
	"context"
	"errors"
	"net/netip"

	"github.com/narthex/narthex/internal/adminapi"
	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// openQueue prepares the sending of mails: to the mail server, or into files where there is none.
func (s *sidecar) openQueue() error {
	renderer, err := message.NewRenderer(s.theme)
	if err != nil {
		return inTheme(s.settings.ThemeDir, err)
	}
	var transport message.Transport = s.mails()
	if server := s.settings.SMTP; server != nil {
		smtp := message.NewSMTP(*server, hello(s.publicURL.Hostname()), nil)
		s.opened(smtp.Close)
		transport = smtp
	}
	from := s.settings.MailFrom
	if from == "" {
		from = sender(s.publicURL.Hostname())
	}
	s.queue = message.New(message.Config{
		Outbox: s.parts.state, Keys: s.parts.keys, Renderer: renderer, Transport: transport, From: from,
		LoginURL: s.settings.LoginURL, Taken: taken(s.store), Clock: s.parts.state.Clock, Log: s.log,
	})
	return nil
}

// mailbox is where mails can be read that were not sent, nil where there is a mail server.
func (s *sidecar) mailbox() adminapi.Mailbox {
	if s.settings.SMTP != nil {
		return nil
	}
	return mailbox{s.mails()}
}

func (s *sidecar) mails() message.Files { return message.Files{Dir: mailDir(s.settings)} }

// taken asks the store whether somebody has a key.
func taken(store plugin.Backend) func(context.Context, plugin.Key) (bool, error) {
	return func(ctx context.Context, k plugin.Key) (bool, error) {
		_, err := store.Lookup(ctx, k)
		if errors.Is(err, plugin.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
}

// messenger hands the flow engine's mails to the queue.
type messenger struct{ *message.Queue }

// Compose implements flow.Messenger.
func (m messenger) Compose(mail flow.Mail, locale string) (state.Message, error) {
	return m.Queue.Compose(message.Verification{
		To: mail.To, Key: mail.Key, Stealth: mail.Stealth, Code: mail.Code, ExpiresAt: mail.ExpiresAt, Locale: locale,
	})
}

// mailbox shows kept mails on the admin listener.
type mailbox struct{ files message.Files }

// List implements adminapi.Mailbox.
func (m mailbox) List(ctx context.Context) ([]adminapi.Mail, error) {
	kept, err := m.files.List(ctx)
	mails := make([]adminapi.Mail, len(kept))
	for i, k := range kept {
		mails[i] = adminapi.Mail(k)
	}
	return mails, err
}

// Read implements adminapi.Mailbox.
func (m mailbox) Read(ctx context.Context, id string) (adminapi.Mail, error) {
	kept, err := m.files.Read(ctx, id)
	return adminapi.Mail(kept), err
}

// sender is who mails come from when nobody says: an address is no domain for mail.
func sender(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		host = "localhost"
	}
	return "narthex@" + host
}

// hello is how this machine calls itself to a mail server: by the name that people know it by, or by its address
// (RFC 5321, section 4.1.3).
func hello(host string) string {
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case a.Is4():
		return "[" + host + "]"
	default:
		return "[IPv6:" + host + "]"
	}
}
