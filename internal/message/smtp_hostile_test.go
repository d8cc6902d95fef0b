package message_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/message"
)

// hostile is a server that says what a test wants.
func hostile(t *testing.T, security config.SMTPTLS, serve func(net.Conn, *bufio.Reader)) *message.SMTP {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			}()
		}
	}()
	s := message.NewSMTP(config.SMTP{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: security}, "narthex.example.org", nil)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAServerCannotKeepALetterBusyOrFillTheMemory(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(net.Conn, *bufio.Reader){
		"a line without an end": func(c net.Conn, _ *bufio.Reader) {
			for err := error(nil); err == nil; {
				_, err = c.Write([]byte(strings.Repeat("220 welcome ", 1000)))
			}
		},
		"lines without an end": func(c net.Conn, _ *bufio.Reader) {
			for err := error(nil); err == nil; {
				_, err = c.Write([]byte(strings.Repeat("220-welcome\r\n", 1000)))
			}
		},
		"nothing of SMTP": func(c net.Conn, _ *bufio.Reader) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
		"nothing at all":  func(c net.Conn, _ *bufio.Reader) { _ = c.Close() },
		"no service":      func(c net.Conn, _ *bufio.Reader) { _, _ = c.Write([]byte("554 no service for canary@example.org\r\n")) },
		"no encryption after all": func(c net.Conn, r *bufio.Reader) {
			_, _ = fmt.Fprint(c, "220 hello\r\n")
			_, _ = r.ReadString('\n')
			_, _ = fmt.Fprint(c, "250-hello\r\n250 STARTTLS\r\n")
			_, _ = r.ReadString('\n')
			_, _ = fmt.Fprint(c, "454 canary@example.org has no TLS now\r\n")
			_, _ = r.ReadString('\n')
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := hostile(t, config.SMTPStartTLS, serve).Send(t.Context(), letter("ada@example.org"))
			if !errors.Is(err, message.ErrDown) || strings.Contains(err.Error(), "canary") || len(err.Error()) > 400 {
				t.Errorf("Send = %.500v, want ErrDown and no words of the server's", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestWordsOfTheServerAreNeverRepeated lets a server talk about the recipient at every step, in good and in bad form.
func TestWordsOfTheServerAreNeverRepeated(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{"550 5.1.1 <ada@example.org> is unknown", "450 ada@example.org later", "ada@example.org: what?", "4x0 ada@example.org", "299 ada@example.org", "503 ada@example.org first"} {
		for _, where := range []string{"EHLO", "MAIL", "RCPT", "DATA", ".", "MAIL of all", "RCPT of all", "DATA of all", ". of all"} {
			t.Run(where+" "+reply, func(t *testing.T) {
				t.Parallel()
				at, together, _ := strings.Cut(where, " ")
				s := hostile(t, config.SMTPNone, func(c net.Conn, r *bufio.Reader) {
					_, _ = fmt.Fprint(c, "220 hello\r\n")
					for data := false; ; {
						line, err := r.ReadString('\n')
						if err != nil {
							return
						}
						command := strings.ToUpper(strings.TrimSpace(line))
						switch {
						case data && command != ".":
						case strings.HasPrefix(command, at), at == "EHLO" && strings.HasPrefix(command, "HELO"):
							_, _ = fmt.Fprint(c, reply+"\r\n")
						case together != "" && strings.HasPrefix(command, "EHLO"):
							_, _ = fmt.Fprint(c, "250-hello\r\n250 PIPELINING\r\n")
						case command == "DATA":
							data = true
							_, _ = fmt.Fprint(c, "354 go\r\n")
						default:
							data = false
							_, _ = fmt.Fprint(c, "250 ok\r\n")
						}
					}
				})
				err := s.Send(t.Context(), letter("ada@example.org"))
				var f *message.Failure
				if !errors.As(err, &f) || strings.Contains(err.Error(), "ada@") || f.Problem == "" {
					t.Errorf("Send = %v", err)
				}
				if refused, want := errors.Is(err, message.ErrRefused), reply[:3] == "550" && (at == "RCPT" || at == "DATA" || at == "."); refused != want {
					t.Errorf("refused: %v, want %v (%v)", refused, want, err)
				}
			})
		}
	}
}

// TestWhatComesBeforeTheEncryptionIsForgotten: somebody in between puts replies into the connection, which a client must
// not take for the server's once it is encrypted.
func TestWhatComesBeforeTheEncryptionIsForgotten(t *testing.T) {
	t.Parallel()
	told := make(chan string, 1)
	s := hostile(t, config.SMTPStartTLS, func(c net.Conn, r *bufio.Reader) {
		_, _ = fmt.Fprint(c, "220 hello\r\n")
		_, _ = r.ReadString('\n')
		_, _ = fmt.Fprint(c, "250-hello\r\n250 STARTTLS\r\n")
		_, _ = r.ReadString('\n')
		_, _ = fmt.Fprint(c, "220 go ahead\r\n250-hello\r\n250 AUTH PLAIN\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")
		b := make([]byte, 4096)
		n, _ := r.Read(b)
		told <- string(b[:n])
	})
	if err := s.Send(t.Context(), letter("ada@example.org")); !errors.Is(err, message.ErrDown) {
		t.Errorf("Send = %v", err)
	}
	if got := <-told; strings.Contains(got, "MAIL") || strings.Contains(got, "ada@") || !strings.HasPrefix(got, "\x16\x03") {
		t.Errorf("after STARTTLS came %q, want a handshake", got)
	}
}
