package message_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/narthex/narthex/internal/message"
)

// wire returns the letter as a transport hands it on.
func wire(t *testing.T, l message.Letter) []byte {
	t.Helper()
	f := message.Files{Dir: t.TempDir()}
	if err := f.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(f.Dir, l.ID+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// octets is how long a mail is on SMTP's wire, where a dot at the beginning of a line is doubled.
func octets(raw []byte) int { return len(raw) + bytes.Count(raw, []byte("\r\n.")) }

// parsed is a mail as a reader that is not ours understands it.
type parsed struct {
	header     mail.Header
	to         []*mail.Address
	text, html string
}

func parse(t *testing.T, raw []byte) parsed {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{header: m.Header, to: to}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the body is %s, %v", kind, err)
	}
	var kinds []string
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil || part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("a part in %s: %v", part.Header.Get("Content-Transfer-Encoding"), err)
		}
		kinds = append(kinds, part.Header.Get("Content-Type"))
		text := strings.ReplaceAll(string(body), "\r\n", "\n")
		if len(kinds) == 1 {
			p.text = text
		} else {
			p.html = text
		}
	}
	if want := []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"}; !slices.Equal(kinds, want) {
		t.Fatalf("parts %q, want %q", kinds, want)
	}
	return p
}

func TestAnotherReaderFindsExactlyWhatWasMeant(t *testing.T) {
	for name, body := range map[string]string{
		"plain words":              "Hello\n",
		"dots and end of data":     ".\n..\n.\r\n\nstill here\n\n.\n",
		"commands after the end":   "a\n.\nMAIL FROM:<eve@evil.org>\nRCPT TO:<x@evil.org>\nDATA\n",
		"header-like lines":        "Bcc: eve@evil.org\nSubject: other\n\n--boundary\nContent-Type: text/html\n",
		"other letters and spaces": "Grüße, 你好 \t \n= =3D\n" + strings.Repeat("x", 2000) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			l := letter("ada@example.org")
			l.Text, l.HTML = body, "<pre>"+body+"</pre>"
			l.Subject = "Grüße: your code"
			raw := wire(t, l)
			p := parse(t, raw)
			want := strings.ReplaceAll(body, "\r\n", "\n")
			if strings.TrimRight(p.text, "\n") != strings.TrimRight(want, "\n") || strings.TrimRight(p.html, "\n") != "<pre>"+want+"</pre>" {
				t.Errorf("text %q\nhtml %q\nwant %q", p.text, p.html, want)
			}
			headers := slices.Sorted(maps.Keys(p.header))
			if want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}; !slices.Equal(headers, want) {
				t.Errorf("headers %q, want %q", headers, want)
			}
			if subject, err := new(mime.WordDecoder).DecodeHeader(p.header.Get("Subject")); err != nil || subject != l.Subject {
				t.Errorf("subject %q, %v", subject, err)
			}
			if len(p.to) != 1 || p.to[0].Address != l.To || p.to[0].Name != "" {
				t.Errorf("to %v", p.to)
			}
			for line := range bytes.Lines(raw) {
				if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 1000 || bytes.Count(line, []byte("\r")) != 1 {
					t.Errorf("the line %.80q is none of RFC 5322", line)
				}
			}
		})
	}
}

func TestTheAddressIsUsedAsItWasTyped(t *testing.T) {
	for _, to := range []string{"Ada.Lovelace+News@Example.ORG", "o'hara_x@example.org", "a.b-c/d=e@sub.example.org"} {
		if p := parse(t, wire(t, letter(to))); len(p.to) != 1 || p.to[0].Address != to {
			t.Errorf("a letter to %s goes to %v", to, p.to)
		}
	}
}

func TestWhatPeopleEnteredIsShownLiterally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t)
		v := verification()
		v.Code, v.Locale = `{{.LoginURL}} <b>*bold*</b> & "x"`, `{{.Code}}"><script>, xx;q=zz`
		w.Enqueue(w.commit(t, v))
		run(t, w, time.Second)
		got := w.transport.got()
		if len(got) != 1 {
			t.Fatalf("%d letters", len(got))
		}
		p := parse(t, wire(t, got[0]))
		if !strings.Contains(p.text, v.Code) {
			t.Errorf("the text: %s", p.text)
		}
		if !strings.Contains(p.html, "{{.LoginURL}} &lt;b&gt;*bold*&lt;/b&gt; &amp; &#34;x&#34;") || strings.Contains(p.html, "<script") || strings.Contains(p.html, "<b>") {
			t.Errorf("the HTML: %s", p.html)
		}
		if subject := p.header.Get("Subject"); subject != "Your code to confirm your email address" {
			t.Errorf("subject %q", subject)
		}
	})
}

func TestEveryLetterOfALanguageHasTheSameSize(t *testing.T) {
	for _, login := range []string{"", "https://login.example.org/", "https://login.example.org/?" + strings.Repeat("next=%2Fa&", 90)} {
		synctest.Test(t, func(t *testing.T) {
			w := build(t)
			w.LoginURL(login)
			for i, to := range []string{"a@example.org", "bb@example.org", "ccc@example.org", "Ada.L@example.org"} {
				v := verification()
				v.To = to
				w.taken.Store(false)
				w.Enqueue(w.commit(t, v))
				run(t, w, time.Second)
				w.taken.Store(true)
				w.Enqueue(w.commit(t, v))
				run(t, w, time.Second)
				got := w.transport.got()[2*i:]
				if a, b := octets(wire(t, got[0])), octets(wire(t, got[1])); a != b || a%message.SizeClass != 0 {
					t.Errorf("to %s: a code has %d bytes, a notice %d", to, a, b)
				}
			}
		})
	}
}
