package message

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Kept is a mail that Files has kept.
type Kept struct {
	ID         string
	At         time.Time
	From, To   string
	Subject    string
	Text, HTML string
}

// fileName is what Files calls its files, without the ending.
var fileName = regexp.MustCompile(`^[0-9a-f]{32}$`)

// List returns the kept mails, newest first, without their bodies.
func (f Files) List(ctx context.Context) ([]Kept, error) {
	entries, err := os.ReadDir(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	var all []Kept
	for _, e := range entries {
		id, isMail := strings.CutSuffix(e.Name(), ".eml")
		if !isMail || !fileName.MatchString(id) {
			continue
		}
		k, err := f.Read(ctx, id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed by hand meanwhile
		}
		if err != nil {
			return nil, err
		}
		k.Text, k.HTML = "", ""
		all = append(all, k)
	}
	slices.Reverse(all) // ids begin with their time
	return all, nil
}

// Read returns one mail, or an error that is fs.ErrNotExist.
func (f Files) Read(_ context.Context, id string) (Kept, error) {
	if !fileName.MatchString(id) {
		return Kept{}, fmt.Errorf("read a mail: %w", fs.ErrNotExist)
	}
	path := filepath.Join(f.Dir, id+".eml")
	info, err := os.Stat(path)
	if err != nil {
		return Kept{}, fmt.Errorf("read a mail: %w", err)
	}
	m, err := mail.EMLToMsgFromFile(path)
	if err != nil {
		return Kept{}, fmt.Errorf("read a mail: %w", err)
	}
	k := Kept{ID: id, At: info.ModTime().UTC()}
	if to := m.GetTo(); len(to) > 0 {
		k.To = to[0].Address
	}
	if from := m.GetFrom(); len(from) > 0 {
		k.From = from[0].Address
	}
	if s := m.GetGenHeader(mail.HeaderSubject); len(s) > 0 {
		k.Subject = s[0]
		if plain, err := new(mime.WordDecoder).DecodeHeader(s[0]); err == nil { // RFC 2047
			k.Subject = plain
		}
	}
	for _, p := range m.GetParts() {
		content, err := p.GetContent()
		if err != nil {
			return Kept{}, fmt.Errorf("read a mail: %w", err)
		}
		switch p.GetContentType() {
		case mail.TypeTextPlain:
			k.Text = string(content)
		case mail.TypeTextHTML:
			k.HTML = string(content)
		default: // our mails have no other parts
		}
	}
	return k, nil
}
