package message_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// connect makes a transport to a mail server, with STARTTLS demanded.
func connect(t *testing.T, s *testenv.SMTPServer, change ...func(*config.SMTP)) *message.SMTP {
	t.Helper()
	return connectTrusting(t, s, s.Roots, change...)
}

func connectTrusting(t *testing.T, s *testenv.SMTPServer, roots *x509.CertPool, change ...func(*config.SMTP)) *message.SMTP {
	t.Helper()
	c := config.SMTP{Host: "127.0.0.1", Port: s.Port, TLS: config.SMTPStartTLS}
	for _, f := range change {
		f(&c)
	}
	transport := message.NewSMTP(c, "narthex.example.org", roots)
	t.Cleanup(func() { _ = transport.Close() })
	return transport
}

func numbered(n int, to string) message.Letter {
	l := letter(to)
	l.ID = strings.Repeat("0", 31) + string(rune('a'+n))
	return l
}

func TestALetterArrivesEncryptedAndWhole(t *testing.T) {
	for name, o := range map[string]testenv.SMTPOptions{
		"STARTTLS": {}, "TLS from the first byte": {Implicit: true}, "with a password": {Username: "narthex", Password: "canary of a password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartSMTP(t, o)
			transport := connect(t, server, func(c *config.SMTP) {
				c.Username, c.Password = o.Username, plugin.NewSecret(o.Password)
				if o.Implicit {
					c.TLS = config.SMTPImplicit
				}
			})
			l := letter("O'Hara+x@Example.org")
			l.Text, l.Date = ".\n..\n.\r\n\nstill here\n\n.\nMAIL FROM:<eve@evil.org>\nRCPT TO:<x@evil.org>\nDATA\n", time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
			if err := transport.Send(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			mails := server.Mails(l.To)
			if len(mails) != 1 || mails[0].To != l.To || mails[0].From != l.From || !mails[0].TLS || mails[0].UTF8 || mails[0].Hello != "narthex.example.org" {
				t.Fatalf("it came as %+v", mails)
			}
			p := parse(t, mails[0].Raw)
			if strings.TrimRight(p.text, "\n") != strings.TrimRight(strings.ReplaceAll(l.Text, "\r\n", "\n"), "\n") {
				t.Errorf("text %q", p.text)
			}
			if date, err := p.header.Date(); err != nil || !date.Equal(l.Date) || p.header.Get("Message-Id") != "<"+l.ID+"@example.org>" {
				t.Errorf("date %v, %v; Message-ID %q", date, err, p.header.Get("Message-Id"))
			}
			for _, canary := range []string{"Hara", "accounts@", "still here", "canary", "AUTH "} {
				if bytes.Contains(server.Overheard(), []byte(canary)) {
					t.Errorf("%q can be overheard", canary)
				}
			}
		})
	}
}

func TestNothingIsSentWhereTheWayIsNotSafe(t *testing.T) {
	t.Parallel()
	for name, unsafe := range map[string]struct {
		behaviour testenv.SMTPBehaviour
		options   testenv.SMTPOptions
		problem   string
	}{
		"no STARTTLS":                    {testenv.SMTPNoSTARTTLS, testenv.SMTPOptions{}, "STARTTLS"},
		"no STARTTLS, and a password":    {testenv.SMTPNoSTARTTLS, testenv.SMTPOptions{Username: "narthex", Password: "canary"}, "STARTTLS"},
		"the name of another server":     {testenv.SMTPWrongName, testenv.SMTPOptions{}, "certificate"},
		"a certificate that nobody made": {testenv.SMTPUntrustedCertificate, testenv.SMTPOptions{Username: "narthex", Password: "canary"}, "certificate"},
		"implicit, the wrong name":       {testenv.SMTPWrongName, testenv.SMTPOptions{Implicit: true}, "certificate"},
		"implicit, untrusted":            {testenv.SMTPUntrustedCertificate, testenv.SMTPOptions{Implicit: true}, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartSMTP(t, unsafe.options)
			server.Behave(unsafe.behaviour)
			transport := connect(t, server, func(c *config.SMTP) {
				c.Username, c.Password = unsafe.options.Username, plugin.NewSecret(unsafe.options.Password)
				if unsafe.options.Implicit {
					c.TLS = config.SMTPImplicit
				}
			})
			err := transport.Send(t.Context(), letter("ada@example.org"))
			var f *message.Failure
			if !errors.Is(err, message.ErrDown) || !errors.As(err, &f) || !strings.Contains(f.Problem, unsafe.problem) || f.Fix == "" {
				t.Errorf("Send = %v, want ErrDown about %s, with a fix", err, unsafe.problem)
			}
			if heard := string(server.Overheard()); strings.Contains(heard, "MAIL FROM") || strings.Contains(heard, "ada@") || strings.Contains(heard, "AUTH") {
				t.Errorf("over the wire went %q", heard)
			}
			server.Behave(testenv.SMTPWell)
			if err := transport.Send(t.Context(), letter("ada@example.org")); err != nil {
				t.Errorf("when the way is safe again: %v", err)
			}
		})
	}
}

func TestAPasswordIsNeverSentInClear(t *testing.T) {
	t.Parallel()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{Username: "narthex", Password: "canary"})
	server.Behave(testenv.SMTPNoSTARTTLS)
	// An address that leads to this machine and is none of its loopback addresses.
	transport := connect(t, server, func(c *config.SMTP) {
		c.Host, c.TLS, c.Username, c.Password = "0.0.0.0", config.SMTPOpportunistic, "narthex", plugin.NewSecret("canary")
	})
	if err := transport.Send(t.Context(), letter("ada@example.org")); !errors.Is(err, message.ErrDown) || !strings.Contains(err.Error(), "in clear") {
		t.Errorf("Send = %v", err)
	}
	if heard := string(server.Overheard()); strings.Contains(heard, "AUTH") || strings.Contains(heard, "MAIL") {
		t.Errorf("over the wire went %q", heard)
	}
}

func TestLessSafeWaysAreTakenOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tls       config.SMTPTLS
		behaviour testenv.SMTPBehaviour
		encrypted bool
	}{
		"opportunistic, and it is offered":         {config.SMTPOpportunistic, testenv.SMTPWell, true},
		"opportunistic, with any certificate":      {config.SMTPOpportunistic, testenv.SMTPUntrustedCertificate, true},
		"opportunistic, and it is not offered":     {config.SMTPOpportunistic, testenv.SMTPNoSTARTTLS, false},
		"none, though it is offered":               {config.SMTPNone, testenv.SMTPWell, false},
		"STARTTLS demanded and offered, of course": {config.SMTPStartTLS, testenv.SMTPWell, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartSMTP(t, testenv.SMTPOptions{})
			server.Behave(c.behaviour)
			if err := connect(t, server, func(s *config.SMTP) { s.TLS = c.tls }).Send(t.Context(), letter("ada@example.org")); err != nil {
				t.Fatal(err)
			}
			if got := server.Mails("ada@example.org"); len(got) != 1 || got[0].TLS != c.encrypted {
				t.Errorf("it came as %+v", got)
			}
		})
	}
}

func TestRepliesSayWhatBecomesOfALetter(t *testing.T) {
	t.Parallel()
	password := testenv.SMTPOptions{Username: "narthex", Password: "right"}
	for name, c := range map[string]struct {
		behaviour testenv.SMTPBehaviour
		options   testenv.SMTPOptions
		password  string
		want      error // nil: tried again
		reply     int
	}{
		"550 for the recipient": {testenv.SMTPRefusesRecipients, testenv.SMTPOptions{}, "", message.ErrRefused, 550},
		"554 for the letter":    {testenv.SMTPRefusesLetters, testenv.SMTPOptions{}, "", message.ErrRefused, 554},
		"553 for the sender":    {testenv.SMTPRefusesSenders, testenv.SMTPOptions{}, "", message.ErrDown, 553},
		"451 for the recipient": {testenv.SMTPGreylists, testenv.SMTPOptions{}, "", nil, 451},
		"421 at once":           {testenv.SMTPCloses, testenv.SMTPOptions{}, "", message.ErrDown, 421},
		"a wrong password":      {testenv.SMTPWell, password, "wrong", message.ErrDown, 535},
		"no password":           {testenv.SMTPWell, password, "", message.ErrDown, 530},
		"no reply to a letter":  {testenv.SMTPDropsBeforeReply, testenv.SMTPOptions{}, "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartSMTP(t, c.options)
			server.Behave(c.behaviour)
			transport := connect(t, server, func(s *config.SMTP) {
				if c.password != "" {
					s.Username, s.Password = c.options.Username, plugin.NewSecret(c.password)
				}
			})
			for range 2 { // the second time, where there is one, on a kept connection
				err := transport.Send(t.Context(), letter("ada@example.org"))
				var f *message.Failure
				if !errors.As(err, &f) || f.Reply != c.reply {
					t.Fatalf("Send = %v, want reply %d", err, c.reply)
				}
				if refused, down := errors.Is(err, message.ErrRefused), errors.Is(err, message.ErrDown); refused != (c.want == message.ErrRefused) || down != (c.want == message.ErrDown) { //nolint:errorlint // it is a table's entry
					t.Errorf("Send = %v: refused %v, down %v", err, refused, down)
				}
				if text := err.Error(); strings.Contains(text, "ada@") || strings.Contains(text, "example.org") || strings.Contains(text, "wrong") {
					t.Errorf("the error %q tells too much", text)
				}
			}
		})
	}
}

func TestConnectionsAreKeptAndReplaced(t *testing.T) {
	t.Parallel()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	transport := connect(t, server)
	send := func(to string) {
		t.Helper()
		if err := transport.Send(t.Context(), letter(to)); err != nil {
			t.Errorf("to %s: %v", to, err)
		}
	}
	for range 5 {
		send("a@example.org")
	}
	if n := server.Connections(); n != 1 {
		t.Errorf("5 letters took %d connections", n)
	}
	server.Behave(testenv.SMTPRefusesRecipients)
	if err := transport.Send(t.Context(), letter("b@example.org")); !errors.Is(err, message.ErrRefused) {
		t.Errorf("Send = %v", err)
	}
	server.Behave(testenv.SMTPWell)
	send("c@example.org")
	if n := server.Connections(); n != 1 {
		t.Errorf("after a refusal there are %d connections", n)
	}
	// The server goes and comes back: the kept connection is dead, and no letter suffers for it.
	server.Stop()
	server.Restart()
	send("d@example.org")
	// It closes kept connections with 421 when it is told to, and takes letters on new ones.
	server.Behave(testenv.SMTPCloses)
	if err := transport.Send(t.Context(), letter("e@example.org")); !errors.Is(err, message.ErrDown) {
		t.Errorf("Send = %v", err)
	}
	server.Behave(testenv.SMTPWell)
	send("e@example.org")
	// It takes no more than a letter on each: the next one goes on a new connection, and is no try lost.
	server.Behave(testenv.SMTPOneLetter)
	send("f@example.org")
	send("f@example.org")
	for to, want := range map[string]int{"a@example.org": 5, "b@example.org": 0, "c@example.org": 1, "d@example.org": 1, "e@example.org": 1, "f@example.org": 2} {
		if n := len(server.Mails(to)); n != want {
			t.Errorf("%d letters came for %s, want %d", n, to, want)
		}
	}
}

func TestAConnectionThatNobodyUsesIsEndedPolitely(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*message.SMTP){
		"after a while": func(s *message.SMTP) { s.SetIdle(50 * time.Millisecond) },
		"at the stop":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartSMTP(t, testenv.SMTPOptions{})
			transport := connect(t, server, func(c *config.SMTP) { c.TLS = config.SMTPNone })
			if end != nil {
				end(transport)
			}
			if err := transport.Send(t.Context(), letter("ada@example.org")); err != nil {
				t.Fatal(err)
			}
			if end == nil {
				_ = transport.Close()
			}
			for deadline := time.Now().Add(10 * time.Second); !bytes.Contains(server.Overheard(), []byte("QUIT")); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("over the wire went %s", server.Overheard())
				}
			}
			if end == nil {
				return
			}
			if err := transport.Send(t.Context(), letter("ada@example.org")); err != nil || server.Connections() != 2 {
				t.Errorf("afterwards: %v, %d connections", err, server.Connections())
			}
		})
	}
}

func TestManySendAtOnceEachOnAConnectionOfItsOwn(t *testing.T) {
	t.Parallel()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	server.Behave(testenv.SMTPSlow)
	transport := connect(t, server)
	began := time.Now()
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if err := transport.Send(t.Context(), numbered(i, "a@example.org")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > 4*time.Second || len(server.Mails("a@example.org")) != 6 {
		t.Errorf("6 letters of a second each took %v, and %d came", took, len(server.Mails("a@example.org")))
	}
}

func TestACanceledLetterEndsAtOnce(t *testing.T) {
	t.Parallel()
	for name, behaviour := range map[string]testenv.SMTPBehaviour{"silent from the start": testenv.SMTPSilent, "silent after the letter": testenv.SMTPStalls} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartSMTP(t, testenv.SMTPOptions{})
			server.Behave(behaviour)
			transport := connect(t, server)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			err := transport.Send(ctx, letter("ada@example.org"))
			if took := time.Since(began); err == nil || errors.Is(err, message.ErrRefused) || took > 3*time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
}

func TestALetterWhoseReplyIsLostComesAgainUnderItsName(t *testing.T) {
	t.Parallel()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	transport := connect(t, server)
	server.Behave(testenv.SMTPDropsBeforeReply)
	l := letter("ada@example.org")
	l.Date = time.Now()
	if err := transport.Send(t.Context(), l); err == nil || errors.Is(err, message.ErrRefused) || errors.Is(err, message.ErrDown) {
		t.Fatalf("Send = %v, want an error that means: try this one again", err)
	}
	server.Behave(testenv.SMTPWell)
	if err := transport.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	got := server.Mails("ada@example.org")
	if len(got) != 2 || got[0].Acknowledged || !got[1].Acknowledged {
		t.Fatalf("it came as %+v", got)
	}
	first, second := parse(t, got[0].Raw).header, parse(t, got[1].Raw).header
	for _, name := range []string{"Message-Id", "Date"} {
		if first.Get(name) == "" || first.Get(name) != second.Get(name) {
			t.Errorf("%s was %q, then %q", name, first.Get(name), second.Get(name))
		}
	}
}

func TestASilentServerIsDownAfterOneStep(t *testing.T) {
	t.Parallel()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	server.Behave(testenv.SMTPSilent)
	transport := connect(t, server)
	transport.SetStep(200 * time.Millisecond)
	began := time.Now()
	err := transport.Send(t.Context(), letter("ada@example.org"))
	if took := time.Since(began); !errors.Is(err, message.ErrDown) || !strings.Contains(err.Error(), "does not answer") || took > 5*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

func TestAddressesInOtherScripts(t *testing.T) {
	t.Parallel()
	server := testenv.StartSMTP(t, testenv.SMTPOptions{})
	transport := connect(t, server)
	if err := transport.Send(t.Context(), letter("ada@Bücher.example")); err != nil {
		t.Fatal(err)
	}
	if got := server.Mails("ada@xn--bcher-kva.example"); len(got) != 1 || got[0].UTF8 {
		t.Errorf("a domain in another script came as %+v", got)
	}
	if err := transport.Send(t.Context(), letter("用户@example.org")); err != nil {
		t.Fatal(err)
	}
	if got := server.Mails("用户@example.org"); len(got) != 1 || !got[0].UTF8 {
		t.Errorf("a local part in another script came as %+v", got)
	}
}
