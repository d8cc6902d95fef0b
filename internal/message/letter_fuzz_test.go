package message_test

import (
	"errors"
	"maps"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/message"
)

// FuzzALetterIsWholeOrRefused gives everything that people or operators can bring into a letter: what another reader
// makes of it has exactly our headers and exactly one recipient, or there is no letter.
func FuzzALetterIsWholeOrRefused(f *testing.F) {
	f.Add("ada@example.org", "Your code", "12345678\n")
	f.Add("ada@bücher.example", "Grüße", ".\n..\n.\r\n")
	f.Add("a@example.org\r\nBcc: eve@evil.org", "x", "y")
	f.Add("a@example.org, eve@evil.org", "x\r\nBcc: eve@evil.org", "\x00")
	f.Add(`"a@b"@example.org`, "=?utf-8?q?x=0d=0aBcc:_e@v.org?=", "\r\n.\r\nMAIL FROM:<e@v.org>\r\n")
	f.Add("Eve <eve@evil.org>", "\u2028", "--boundary")
	f.Add("group: a@example.org, b@example.org;", "", "")
	f.Fuzz(func(t *testing.T, to, subject, text string) {
		l := message.Letter{ID: letter("").ID, Date: time.Unix(1, 0), From: "accounts@example.org", To: to, Subject: subject, Text: text, HTML: "<p>" + text + "</p>"}
		files := message.Files{Dir: t.TempDir()}
		err := files.Send(t.Context(), l)
		if errors.Is(err, message.ErrRefused) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.Open(filepath.Join(files.Dir, l.ID+".eml"))
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		m, err := mail.ReadMessage(raw)
		if err != nil {
			t.Fatalf("nobody can read it: %v", err)
		}
		if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Name != "" {
			t.Errorf("to %q: %v", m.Header["To"], err)
		}
		headers := slices.Sorted(maps.Keys(m.Header))
		if want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}; !slices.Equal(headers, want) {
			t.Errorf("headers %q", headers)
		}
		for name, values := range m.Header {
			if len(values) != 1 {
				t.Errorf("%s: %q", name, values)
			}
		}
	})
}
