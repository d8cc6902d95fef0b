package message_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/message"
)

func letter(to string) message.Letter {
	return message.Letter{ID: strings.ToLower(strings.Repeat("ab", 16)), From: "accounts@example.org", To: to, Subject: "Your code", Text: "Hello\n.\n..dots\n\n12345678\n", HTML: "<p>Hello</p>"}
}

func TestNothingEnteredBecomesAHeaderOrASecondRecipient(t *testing.T) {
	f := message.Files{Dir: t.TempDir()}
	for _, to := range []string{"a@example.org\r\nBcc: eve@evil.org", "a@example.org\nX: y", "a@example.org, eve@evil.org", "Eve <eve@evil.org>", "<a@example.org>",
		"a@example.org\x00", "a@example.org\u2028Bcc: x@y.org", "", "no address"} {
		if err := f.Send(t.Context(), letter(to)); !errors.Is(err, message.ErrRefused) {
			t.Errorf("To %q: %v, want ErrRefused", to, err)
		}
	}
	bad := letter("a@example.org")
	bad.Subject = "Hello\r\nBcc: eve@evil.org"
	if err := f.Send(t.Context(), bad); !errors.Is(err, message.ErrRefused) {
		t.Errorf("a line break in the subject: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(f.Dir, "*")); len(files) != 0 {
		t.Errorf("files were left: %v", files)
	}
}

func TestKeptMailsComeBackAsTheyWere(t *testing.T) {
	f := message.Files{Dir: filepath.Join(t.TempDir(), "mail")}
	if list, err := f.List(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("before the first mail: %v, %v", list, err)
	}
	want := letter("o'hara+x@example.org")
	want.Subject = "Ihr Code zur Bestätigung, 代码"
	for range 2 { // the same letter twice, as after a crash
		if err := f.Send(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	second := letter("b@example.org")
	second.ID = strings.Repeat("ff", 16)
	if err := f.Send(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	list, err := f.List(t.Context())
	if err != nil || len(list) != 2 || list[0].To != "b@example.org" || list[1].To != want.To || list[1].Text != "" {
		t.Fatalf("List = %+v, %v", list, err)
	}
	got, err := f.Read(t.Context(), want.ID)
	if err != nil || got.Subject != want.Subject || got.From != want.From || strings.ReplaceAll(got.Text, "\r\n", "\n") != want.Text || !strings.Contains(got.HTML, "<p>Hello</p>") {
		t.Errorf("Read = %+v, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(f.Dir, want.ID+".eml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, id := range []string{"../secret", "x", rand.Text(), strings.Repeat("0", 32), "", want.ID + ".eml"} {
		if _, err := f.Read(t.Context(), id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Read(%q) = %v", id, err)
		}
	}
}
