package directory_test

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
)

// TestLoginsWithoutAnAnswer: nobody is let in, and nobody is told that the password was wrong.
func TestLoginsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(c net.Conn, id int64){
		"closes":                  func(c net.Conn, _ int64) { c.Close() },
		"hangs":                   func(c net.Conn, _ int64) { hang(c) },
		"answers another request": func(c net.Conn, id int64) { _, _ = c.Write(result(id+1, ldap.ApplicationBindResponse, 0)) },
		"answers another kind":    func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationAddResponse, 0)) },
		"is busy":                 func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationBindResponse, 51)) },
		"refers":                  func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationBindResponse, 10)) },
		"wants more of SASL":      func(c net.Conn, id int64) { _, _ = c.Write(result(id, ldap.ApplicationBindResponse, 14)) },
		"sends a broken control": func(c net.Conn, id int64) {
			_, _ = c.Write(withPolicy(id, 0, "\x30\x03\x81\x01\x7f"))
		},
		"sends a giant control": func(c net.Conn, id int64) {
			_, _ = c.Write(withPolicy(id, 0, strings.Repeat("\x30\x84\x00\x00\xff\xff", 20_000)))
		},
		"sends half a control": func(c net.Conn, id int64) { _, _ = c.Write(withPolicy(id, 0, "\x30\x80")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := loginAt(t, answer)
			if got != directory.LoginDenied || !errors.Is(err, directory.ErrUnreachable) && !errors.Is(err, directory.ErrUnanswered) || directory.Refused(err) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// TestPasswordPolicyControls: what the control says counts more than the result code
// (draft-behera-ldap-password-policy-10, section 6.2).
func TestPasswordPolicyControls(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule  string
		code  int
		value string
		want  directory.Login
	}{
		{"nothing to tell", 0, "\x30\x00", directory.LoginGranted},
		{"it will expire", 0, "\x30\x05\xa0\x03\x80\x01\x3c", directory.LoginGranted},
		{"a grace login", 0, "\x30\x05\xa0\x03\x81\x01\x02", directory.LoginExpired},
		{"the last grace login", 0, "\x30\x05\xa0\x03\x81\x01\x00", directory.LoginExpired},
		{"expired", 49, "\x30\x03\x81\x01\x00", directory.LoginExpired},
		{"expired, and yet success", 0, "\x30\x03\x81\x01\x00", directory.LoginExpired},
		{"locked", 49, "\x30\x03\x81\x01\x01", directory.LoginLocked},
		{"locked, and yet success", 0, "\x30\x03\x81\x01\x01", directory.LoginLocked},
		{"change after reset", 0, "\x30\x03\x81\x01\x02", directory.LoginExpired},
		{"an error about something else", 0, "\x30\x03\x81\x01\x08", directory.LoginDenied},
	}
	for _, test := range tests {
		got, asked, err := loginAt(t, func(c net.Conn, id int64) { _, _ = c.Write(withPolicy(id, test.code, test.value)) })
		if got != test.want || err != nil || asked != 1 {
			t.Errorf("%s: %v, %v after %d binds", test.rule, got, err, asked)
		}
	}
}

// loginAt tries to log in at a server that answers with answer.
func loginAt(t *testing.T, answer func(c net.Conn, id int64)) (login directory.Login, binds int64, err error) {
	t.Helper()
	var asked atomic.Int64
	server := startFault(t, func(c net.Conn) {
		for {
			packet, err := ber.ReadPacket(c)
			if err != nil {
				return
			}
			id, operation := packet.Children[0].Value.(int64), packet.Children[1]
			switch {
			case operation.Tag == ldap.ApplicationSearchRequest: // the rootDSE
				_, _ = c.Write(append(found(id, "", "x"), result(id, ldap.ApplicationSearchResultDone, 0)...))
			case operation.Children[1].Value == "cn=svc":
				_, _ = c.Write(result(id, ldap.ApplicationBindResponse, 0))
			default:
				asked.Add(1)
				answer(c, id)
			}
		}
	})
	login, err = open(t, server.settings()).Authenticate(t.Context(), somebody, rightPassword)
	return login, asked.Load(), err
}

// withPolicy is an answer to a bind with a password policy control.
func withPolicy(id int64, code int, value string) []byte {
	control := ber.NewSequence("")
	control.AppendChild(text(ldap.ControlTypeBeheraPasswordPolicy))
	control.AppendChild(text(value))
	all := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	all.AppendChild(control)
	m := ber.DecodePacket(result(id, ldap.ApplicationBindResponse, code))
	m.AppendChild(all)
	return m.Bytes()
}
