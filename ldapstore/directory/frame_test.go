package directory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// sample messages: answers of each kind, as a server sends them, and broken ones.
func sampleMessages() [][]byte {
	answer := func(operation ber.Tag, code int) []byte {
		r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, operation, nil, "")
		r.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
		r.AppendChild(octets("dc=lab"))
		r.AppendChild(octets("text"))
		m := ber.NewSequence("")
		m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
		m.AppendChild(r)
		return m.Bytes()
	}
	control := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	control.AppendChild(critical(preReadControl, []byte("\x64\x11\x04\x01a0\x0c0\x0a\x04\x03uid1\x03\x04\x0117")))
	controlled := ber.DecodePacket(answer(ldap.ApplicationModifyResponse, 0))
	controlled.AppendChild(control)
	return [][]byte{
		answer(ldap.ApplicationBindResponse, 0), answer(ldap.ApplicationModifyResponse, 68), answer(ldap.ApplicationSearchResultDone, 4),
		answer(ldap.ApplicationExtendedResponse, 10), controlled.Bytes(), startTLSRequest(),
		[]byte("0\x1e\x02\x01\x01d\x19\x04\x04cn=a0\x110\x0f\x04\x02cn1\x09\x04\x01a\x04\x04bbbb"),
		[]byte("0\x05\x02\x01\x01\x42\x00"), []byte("0\x80\x02\x01\x01\x00\x00"), []byte("0\x84\xff\xff\xff\xff"), []byte("0\x03\x02\x01\x01"),
		[]byte("0\x00"), []byte("0\x0a\x02\x01\x01\x65\x05\x0a\x01\x00\x04\x00"), []byte("0\x06\x02\x01\x01\x1f\x81\x00"), {},
	}
}

// FuzzInspect: what inspect lets through the library can read, and it costs what was counted.
func FuzzInspect(f *testing.F) {
	for _, message := range sampleMessages() {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := bytes.NewReader(sent)
		message, err := readMessage(r)
		if err != nil {
			return
		}
		if len(message)+r.Len() != len(sent) || !bytes.HasPrefix(sent, message) {
			t.Fatalf("%x: %d octets taken, %d left", sent, len(message), r.Len())
		}
		found, err := inspect(message)
		if err != nil {
			return
		}
		packet, err := ber.DecodePacketErr(message)
		if packet == nil || err != nil {
			return // values that are wrong in themselves
		}
		if n := elementsOf(packet); n != found.elements {
			t.Fatalf("%x has %d elements, not %d", message, n, found.elements)
		}
		if id, ok := packet.Children[0].Value.(int64); !ok || id != found.id {
			t.Fatalf("%x has the id %v, not %d", message, packet.Children[0].Value, found.id)
		}
	})
}

func elementsOf(p *ber.Packet) int {
	n := 1
	for _, child := range p.Children {
		n += elementsOf(child)
	}
	return n
}

// FuzzAnswer: whatever a server sends, a request ends with one of the errors that Operations promise.
func FuzzAnswer(f *testing.F) {
	for _, message := range sampleMessages() {
		for request := range byte(5) {
			f.Add(request, message)
		}
	}
	f.Fuzz(func(t *testing.T, request byte, sent []byte) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		w := newWire(ours, ours)
		c := &Conn{wire: w, ldap: ldap.NewConn(w, false), settings: Settings{RequestTimeout: time.Second}}
		c.requests = requests{c}
		c.ldap.Start()
		defer c.Close()
		go func() {
			_, _ = readMessage(theirs)
			_, _ = theirs.Write(sent)
			theirs.Close()
		}()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := ask(ctx, c, request)
		if err != nil && !Refused(err) && !errors.Is(err, ErrUnanswered) {
			t.Errorf("%x: %v", sent, err)
		}
	})
}

// ask sends one of the requests that read their answers differently.
func ask(ctx context.Context, c *Conn, request byte) error {
	switch request % 5 {
	case 0:
		_, err := c.Search(ctx, "dc=lab", Subtree, Filter{}, 2, "cn")
		return err
	case 1:
		return c.Delete(ctx, "cn=a,dc=lab")
	case 2:
		c.server.value, c.server.until = Server{PasswordModify: true}, time.Now().Add(time.Hour)
		return c.SetPassword(ctx, "cn=a,dc=lab", "secret")
	case 3:
		c.server.value, c.server.until = Server{Increment: true, PreRead: true}, time.Now().Add(time.Hour)
		_, err := c.Increment(ctx, "cn=a,dc=lab", "uid", 1)
		return err
	}
	err := c.exchange(ctx, "bind", func(l *ldap.Conn) error {
		_, err := l.SimpleBind(ldap.NewSimpleBindRequest("cn=a,dc=lab", "secret", nil))
		return err
	})
	_, err = judge(OpenLDAP, err, nil)
	if errors.Is(err, ErrUnreachable) {
		return nil // a refusal of something else than the password
	}
	return err
}

func TestMessagesAreReadExactly(t *testing.T) {
	first, second := sampleMessages()[0], sampleMessages()[1]
	r := bytes.NewReader(append(bytes.Clone(first), second...))
	for _, want := range [][]byte{first, second} {
		if got, err := readMessage(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%x, %v", got, err)
		}
	}
	if _, err := readMessage(r); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
	if _, err := readMessage(bytes.NewReader(first[:5])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a message: %v", err)
	}
}

func TestMessagesHaveBounds(t *testing.T) {
	message := func(operation, controls *ber.Packet) []byte {
		m := ber.NewSequence("")
		m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 7, ""))
		m.AppendChild(operation)
		m.AppendChild(controls)
		return m.Bytes()
	}
	nested := func(depth int) *ber.Packet {
		inner := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 5, nil, "")
		for range depth - 1 {
			outer := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 5, nil, "")
			outer.AppendChild(inner)
			inner = outer
		}
		return inner
	}
	controls := func(length int) *ber.Packet {
		all := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		all.AppendChild(octets(strings.Repeat("x", length-4)))
		return all
	}
	for rule, test := range map[string]struct {
		message []byte
		ok      bool
	}{
		"as deep as allowed":             {message(nested(maxDepth-1), controls(1000)), true},
		"too deep":                       {message(nested(maxDepth), controls(1000)), false},
		"controls as long as allowed":    {message(nested(1), controls(maxControls)), true},
		"controls that are too long":     {message(nested(1), controls(maxControls+1)), false},
		"two messages in one":            {append(message(nested(1), controls(1000)), message(nested(1), controls(1000))...), false},
		"a part that is longer than all": {[]byte("0\x05\x02\x01\x01e\x01"), false},
		"no operation":                   {[]byte("0\x03\x02\x01\x01"), false},
		"an id that is no number":        {[]byte("0\x05\x04\x01\x01e\x00"), false},
		"a negative id":                  {[]byte("0\x05\x02\x01\xffe\x00"), false},
	} {
		if found, err := inspect(test.message); (err == nil) != test.ok || test.ok && (found.id != 7 || found.operation != 0x65) {
			t.Errorf("%s: %+v, %v", rule, found, err)
		}
	}
}
