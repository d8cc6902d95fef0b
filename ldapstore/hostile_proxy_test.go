package ldapstore_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/testenv"
)

// proxy stands in front of a real server and passes everything on, but for one request that it spoils. It counts what the
// service account asks, binds apart.
type proxy struct {
	net.Listener
	server string

	mu      sync.Mutex
	nth     int
	spoil   spoil
	asked   int
	spoiled bool
}

// spoil is what becomes of one request. A code is answered without asking the server; otherwise the request is passed on
// and the connection ends instead of its answer.
type spoil struct{ code int }

var answerLost = spoil{}

// answerTags are the answers to the requests.
var answerTags = map[ber.Tag]ber.Tag{
	ldap.ApplicationAddRequest: ldap.ApplicationAddResponse, ldap.ApplicationModifyRequest: ldap.ApplicationModifyResponse,
	ldap.ApplicationModifyDNRequest: ldap.ApplicationModifyDNResponse, ldap.ApplicationDelRequest: ldap.ApplicationDelResponse,
	ldap.ApplicationSearchRequest: ldap.ApplicationSearchResultDone, ldap.ApplicationExtendedRequest: ldap.ApplicationExtendedResponse,
}

func startProxy(t *testing.T, d *testenv.Directory) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, server: strings.TrimPrefix(d.StartTLSURL, "ldap://")}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { // after the store has closed its connections
		_ = l.Close()
		running.Wait()
	})
	return p
}

// arm spoils the nth request from now on; 0: none.
func (p *proxy) arm(nth int, s spoil) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nth, p.spoil, p.asked, p.spoiled = nth, s, 0, false
}

// hit tells whether the request has come.
func (p *proxy) hit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spoiled
}

func (p *proxy) count() (spoil, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	now := p.nth > 0 && p.asked == p.nth
	p.spoiled = p.spoiled || now
	return p.spoil, now
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	var lost sync.Map // the message whose answer must not arrive
	var answers sync.WaitGroup
	answers.Go(func() {
		defer c.Close()
		for {
			packet, err := ber.ReadPacket(s)
			if err != nil {
				return
			}
			if _, drop := lost.Load(packet.Children[0].Value); drop {
				return
			}
			if _, err := c.Write(packet.Bytes()); err != nil {
				return
			}
		}
	})
	defer answers.Wait()
	defer s.Close()
	for {
		packet, err := ber.ReadPacket(c)
		if err != nil || len(packet.Children) < 2 {
			return
		}
		id, operation := packet.Children[0].Value.(int64), packet.Children[1].Tag
		if answer, counted := answerTags[operation]; counted {
			if spoil, now := p.count(); now && spoil.code != 0 {
				_, _ = c.Write(refusal(id, answer, spoil.code))
				continue
			} else if now {
				lost.Store(id, true)
			}
		}
		if _, err := s.Write(packet.Bytes()); err != nil {
			return
		}
	}
}

// refusal is an LDAPResult (RFC 4511, section 4.1.9).
func refusal(id int64, answer ber.Tag, code int) []byte {
	text := func(s string) *ber.Packet {
		return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
	}
	result := ber.Encode(ber.ClassApplication, ber.TypeConstructed, answer, nil, "")
	result.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	result.AppendChild(text(""))
	result.AppendChild(text("spoiled"))
	message := ber.NewSequence("")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	message.AppendChild(result)
	return message.Bytes()
}
