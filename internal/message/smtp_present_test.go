package message_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/message"
)

// scripted is a mail server of a few words: it has replies for lines or for commands, and else says that it is fine. It tells
// the commands that it got in one piece, letters without their lines.
func scripted(t *testing.T, extensions string, replies map[string]string) (s *message.SMTP, pieces func() []string) {
	t.Helper()
	heard := make(chan string, 100)
	s = hostile(t, config.SMTPNone, func(c net.Conn, r *bufio.Reader) {
		_, _ = fmt.Fprint(c, "220 hello\r\n")
		for data := false; ; {
			if _, err := r.Peek(1); err != nil {
				return
			}
			var piece, answer []string
			for r.Buffered() > 0 {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				line = strings.TrimSpace(line)
				command, _, _ := strings.Cut(line, " ")
				reply, known := replies[line]
				if !known {
					reply, known = replies[command]
				}
				switch {
				case data && command != ".":
					continue
				case command == "EHLO":
					reply = "250-hello\r\n250 " + extensions
				case command == "DATA" && !known:
					reply = "354 go"
				case !known:
					reply = "250 ok"
				}
				data = strings.HasPrefix(reply, "354")
				piece, answer = append(piece, command), append(answer, reply+"\r\n")
			}
			heard <- strings.Join(piece, " ")
			_, _ = fmt.Fprint(c, strings.Join(answer, ""))
		}
	})
	return s, func() (all []string) {
		for len(heard) > 0 {
			all = append(all, <-heard)
		}
		return all
	}
}

func TestAServerHearsAtOnceWhatItTakesAtOnce(t *testing.T) {
	t.Parallel()
	for extensions, want := range map[string][]string{
		"PIPELINING": {"EHLO", "MAIL RCPT DATA", "."},
		"8BITMIME":   {"EHLO", "MAIL", "RCPT", "DATA", "."},
	} {
		s, pieces := scripted(t, extensions, nil)
		if err := s.Send(t.Context(), letter("ada@example.org")); err != nil {
			t.Fatal(err)
		}
		if got := pieces(); !slices.Equal(got, want) {
			t.Errorf("%s: it heard %q, want %q", extensions, got, want)
		}
	}
}

func TestOfSeveralRefusalsTheFirstCounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replies map[string]string
		reply   int
		kind    error // nil: tried again
		heard   []string
	}{
		"of the sender":    {map[string]string{"MAIL": "553 not you", "RCPT": "503 who?", "DATA": "503 what?"}, 553, message.ErrDown, []string{"EHLO", "MAIL RCPT DATA"}},
		"of the recipient": {map[string]string{"RCPT": "550 nobody", "DATA": "503 what?"}, 550, message.ErrRefused, []string{"EHLO", "MAIL RCPT DATA"}},
		"of the recipient, and a letter to nobody is waited for": {
			map[string]string{"RCPT": "550 nobody", ".": "554 nobody would get it"}, 550, message.ErrRefused, []string{"EHLO", "MAIL RCPT DATA", "."},
		},
		"of the recipient for now": {map[string]string{"RCPT": "451 later", "DATA": "503 what?"}, 451, nil, []string{"EHLO", "MAIL RCPT DATA"}},
		"of the letter":            {map[string]string{"DATA": "554 no"}, 554, message.ErrRefused, []string{"EHLO", "MAIL RCPT DATA"}},
		"of everybody":             {map[string]string{"MAIL": "421 good night"}, 421, message.ErrDown, []string{"EHLO", "MAIL RCPT DATA"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, pieces := scripted(t, "PIPELINING", c.replies)
			err := s.Send(t.Context(), letter("ada@example.org"))
			var f *message.Failure
			if !errors.As(err, &f) || f.Reply != c.reply || c.kind != nil && !errors.Is(err, c.kind) ||
				c.kind == nil && (errors.Is(err, message.ErrDown) || errors.Is(err, message.ErrRefused)) {
				t.Errorf("Send = %v", err)
			}
			if got := pieces(); !slices.Equal(got, c.heard) {
				t.Errorf("it heard %q, want %q", got, c.heard)
			}
		})
	}
}

func TestAfterARefusalTheNextLetterIsTakenOnTheSameConnection(t *testing.T) {
	t.Parallel()
	s, pieces := scripted(t, "PIPELINING", map[string]string{"RCPT TO:<ada@example.org>": "550 nobody"})
	if err := s.Send(t.Context(), letter("ada@example.org")); !errors.Is(err, message.ErrRefused) {
		t.Fatalf("Send = %v", err)
	}
	pieces()
	if err := s.Send(t.Context(), letter("bob@example.org")); err != nil {
		t.Fatal(err)
	}
	if got, want := pieces(), []string{"RSET", "MAIL RCPT DATA", "."}; !slices.Equal(got, want) {
		t.Errorf("it heard %q, want %q", got, want)
	}
}
