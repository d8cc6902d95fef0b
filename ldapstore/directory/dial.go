package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const startTLSName = "1.3.6.1.4.1.1466.20037" // RFC 4511, section 4.14.1

// Dial connects to settings.URL and binds as the service account. An error is ErrUnreachable with its cause, or an
// *Error if the server refuses the account or StartTLS.
func Dial(ctx context.Context, settings Settings) (*Conn, error) {
	settings = settings.withDefaults()
	to, err := settings.target(settings.URL)
	if err != nil {
		return nil, err
	}
	return settings.dial(ctx, to)
}

// connectError says which step towards a server failed. It is ErrUnreachable, and its cause.
type connectError struct {
	step  string
	cause error
}

func (e *connectError) Error() string   { return e.step + ": " + e.cause.Error() }
func (e *connectError) Unwrap() []error { return []error{ErrUnreachable, e.cause} }

// dial connects and binds.
func (s Settings) dial(ctx context.Context, to target) (*Conn, error) {
	c, err := s.connect(ctx, to)
	if err != nil || s.BindDN == "" {
		return c, err
	}
	if s.Password == "" { // the server would take it for an anonymous bind and say yes (RFC 4513, section 5.1.2)
		c.Close()
		return nil, fmt.Errorf("bind: %w", ErrEmptyPassword)
	}
	step, cancel := context.WithTimeout(ctx, s.ConnectTimeout)
	defer cancel()
	err = c.exchange(step, "bind", func(l *ldap.Conn) error { return l.Bind(s.BindDN, s.Password) })
	if err != nil {
		c.Close()
		if !Refused(err) { // a bind without an answer has done nothing to anybody
			err = &connectError{"bind", errors.New("it was not answered")}
			if ended := ended(ctx); ended != nil {
				err = &connectError{"bind", ended}
			}
		}
		return nil, err
	}
	if c.broken { // its time was up when the answer came
		c.Close()
		return nil, &connectError{"bind", step.Err()}
	}
	return c, nil
}

// connect connects without saying who it is.
func (s Settings) connect(ctx context.Context, to target) (*Conn, error) {
	step, cancel := context.WithTimeout(ctx, s.ConnectTimeout)
	defer cancel()
	socket, err := (&net.Dialer{}).DialContext(step, to.network, to.address)
	if err != nil {
		return nil, &connectError{"connect", err}
	}
	stream, err := s.secure(ctx, to, socket)
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	w := newWire(stream, socket)
	c := &Conn{wire: w, ldap: ldap.NewConn(w, to.tls != nil), settings: s}
	c.requests = requests{c}
	c.ldap.Start()
	return c, nil
}

// secure returns what to speak LDAP upon: TLS, or the bare socket where that is allowed.
func (s Settings) secure(ctx context.Context, to target, socket net.Conn) (net.Conn, error) {
	if to.tls == nil {
		if a, ok := socket.RemoteAddr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
			return nil, &connectError{"connect", errors.New("no TLS, and not on this machine")}
		}
		return socket, nil
	}
	if to.startTLS {
		if err := requestTLS(ctx, socket, s.ConnectTimeout); err != nil {
			return nil, err
		}
	}
	step, cancel := context.WithTimeout(ctx, s.ConnectTimeout)
	defer cancel()
	stream := tls.Client(socket, to.tls)
	if err := stream.HandshakeContext(step); err != nil {
		return nil, &connectError{"TLS handshake", err}
	}
	return stream, nil
}

// requestTLS does StartTLS by hand: the library's handshake has no deadline. It reads the answer and not an octet more,
// so that clear text appended to it fails in the handshake.
func requestTLS(ctx context.Context, socket net.Conn, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := socket.SetDeadline(deadline); err != nil {
		return &connectError{"start TLS", err}
	}
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	if _, err := socket.Write(startTLSRequest()); err != nil {
		return &connectError{"start TLS", err}
	}
	message, err := readMessage(socket)
	if err == nil {
		err = startTLSAnswer(message)
	}
	if err == nil {
		return socket.SetDeadline(time.Time{})
	}
	if Refused(err) {
		return err
	}
	return &connectError{"start TLS", err}
}

func startTLSRequest() []byte {
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "")
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, startTLSName, ""))
	message := ber.NewSequence("")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
	message.AppendChild(request)
	return message.Bytes()
}

func startTLSAnswer(message []byte) error {
	found, err := inspect(message)
	if err != nil {
		return err
	}
	if found.id != 1 || found.operation != 0x78 {
		return errNotLDAP
	}
	answer, err := ber.DecodePacketErr(message)
	if err != nil {
		return errNotLDAP
	}
	if err := ldap.GetLDAPError(answer); err != nil {
		if refusal := refusalOf("start TLS", err); refusal != nil {
			return refusal
		}
		return errNotLDAP
	}
	return nil
}

// refusalOf returns the server's refusal, or nil if err is something else: the library puts failures of its own into the
// same type, with codes from 200 on.
func refusalOf(operation string, err error) error {
	var answer *ldap.Error
	if !errors.As(err, &answer) || answer.Packet == nil || answer.ResultCode >= ldap.ErrorNetwork {
		return nil
	}
	return &Error{Operation: operation, Code: answer.ResultCode, Diagnostic: answer.Err.Error()}
}
