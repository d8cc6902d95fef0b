package testenv

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"
)

// Mail is a message as a mail reader other than ours reads it.
type Mail struct {
	To, Subject, Text string
	Header            mail.Header
}

var codePattern = regexp.MustCompile(`(?m)^\s*(\d{4} ?\d{4})\s*$`)

// Code returns the code that stands alone on a line of the mail, or "".
func (m Mail) Code() string {
	found := codePattern.FindStringSubmatch(m.Text)
	if found == nil {
		return ""
	}
	return strings.ReplaceAll(found[1], " ", "")
}

// Mails returns all mails that were written for an address, oldest first.
func (s *Sidecar) Mails(to string) ([]Mail, error) {
	files, err := filepath.Glob(filepath.Join(s.DataDir, "mail", "*.eml"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var found []Mail
	for _, f := range files {
		m, err := readMail(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(f), err)
		}
		if m.To == to {
			found = append(found, m)
		}
	}
	return found, nil
}

// NextMail waits until more than seen mails have come for an address and returns the newest.
func (s *Sidecar) NextMail(to string, seen int) (Mail, error) {
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		mails, err := s.Mails(to)
		if err != nil {
			return Mail{}, err
		}
		if len(mails) > seen {
			return mails[len(mails)-1], nil
		}
	}
	return Mail{}, fmt.Errorf("no mail %d came for %s", seen+1, to)
}

// Code waits for the first mail to an address and returns its code.
func (s *Sidecar) Code(to string) (string, error) {
	m, err := s.NextMail(to, 0)
	if err != nil {
		return "", err
	}
	if m.Code() == "" {
		return "", fmt.Errorf("the mail to %s has no code: %s", to, m.Text)
	}
	return m.Code(), nil
}

func readMail(path string) (Mail, error) {
	f, err := os.Open(path)
	if err != nil {
		return Mail{}, err
	}
	defer f.Close()
	return parseMail(f)
}

func parseMail(r io.Reader) (Mail, error) {
	msg, err := mail.ReadMessage(r)
	if err != nil {
		return Mail{}, err
	}
	to, err := msg.Header.AddressList("To")
	if err != nil || len(to) != 1 {
		return Mail{}, fmt.Errorf("want one recipient, have %d: %w", len(to), err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return Mail{}, err
	}
	text, err := plainText(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	return Mail{To: to[0].Address, Subject: subject, Text: text, Header: msg.Header}, err
}

// plainText returns the text/plain part.
func plainText(contentType, encoding string, body io.Reader) (string, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if strings.EqualFold(encoding, "quoted-printable") {
			body = quotedprintable.NewReader(body)
		}
		b, err := io.ReadAll(body)
		return string(b), err
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if err != nil {
			return "", fmt.Errorf("no text part: %w", err)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			return plainText(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
		}
	}
}
