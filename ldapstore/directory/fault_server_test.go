package directory_test

import (
	"net"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
)

// faultServer accepts connections and misbehaves. It is a fake for faults alone: what a directory does right is tested
// with real ones.
type faultServer struct {
	net.Listener
	mu          sync.Mutex
	connections []net.Conn
}

// startFault calls serve with each connection, which is closed when serve returns.
func startFault(t testing.TB, serve func(net.Conn)) *faultServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &faultServer{Listener: l}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.connections = append(f.connections, c)
			f.mu.Unlock()
			running.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		f.mu.Lock()
		for _, c := range f.connections {
			c.Close()
		}
		f.mu.Unlock()
		running.Wait()
	})
	return f
}

func (f *faultServer) accepted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.connections)
}

// short is the deadline of a step that hangs. A request has three times as much, for what it needs before on a busy machine.
const short = 250 * time.Millisecond

func (f *faultServer) settings() directory.Settings {
	return directory.Settings{URL: "ldap://" + f.Addr().String(), ClearText: true, BindDN: "cn=svc", Password: "secret",
		ConnectTimeout: 4 * short, RequestTimeout: 3 * short}
}

// hang keeps the connection open until the other side closes it.
func hang(c net.Conn) {
	var octets [1024]byte
	for {
		if _, err := c.Read(octets[:]); err != nil {
			return
		}
	}
}

// afterBind says yes to the bind and then calls serve with every request.
func afterBind(serve func(c net.Conn, id int64, operation *ber.Packet)) func(net.Conn) {
	return func(c net.Conn) {
		for {
			packet, err := ber.ReadPacket(c)
			if err != nil || len(packet.Children) < 2 {
				return
			}
			id, operation := packet.Children[0].Value.(int64), packet.Children[1]
			if operation.Tag == ldap.ApplicationBindRequest {
				_, _ = c.Write(result(id, ldap.ApplicationBindResponse, 0))
				continue
			}
			serve(c, id, operation)
		}
	}
}

func message(id int64, operation *ber.Packet) []byte {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(operation)
	return m.Bytes()
}

func text(value string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, value, "")
}

// result is an LDAPResult of the kind that operation says.
func result(id int64, operation ber.Tag, code int) []byte {
	r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, operation, nil, "")
	r.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	r.AppendChild(text(""))
	r.AppendChild(text("diagnostic"))
	return message(id, r)
}

// found is a search result entry with the attribute cn.
func found(id int64, name string, values ...string) []byte {
	return foundWith(id, name, "cn", values...)
}

func foundWith(id int64, name, attributeName string, values ...string) []byte {
	set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	for _, value := range values {
		set.AppendChild(text(value))
	}
	attribute := ber.NewSequence("")
	attribute.AppendChild(text(attributeName))
	attribute.AppendChild(set)
	attributes := ber.NewSequence("")
	attributes.AppendChild(attribute)
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	entry.AppendChild(text(name))
	entry.AppendChild(attributes)
	return message(id, entry)
}

// answers maps each request to the answer of its kind.
var answers = map[ber.Tag]ber.Tag{
	ldap.ApplicationAddRequest: ldap.ApplicationAddResponse, ldap.ApplicationModifyRequest: ldap.ApplicationModifyResponse,
	ldap.ApplicationModifyDNRequest: ldap.ApplicationModifyDNResponse, ldap.ApplicationDelRequest: ldap.ApplicationDelResponse,
	ldap.ApplicationSearchRequest: ldap.ApplicationSearchResultDone, ldap.ApplicationExtendedRequest: ldap.ApplicationExtendedResponse,
}
