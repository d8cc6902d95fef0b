package directory_test

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/directory"
)

// TestPagesOverDyingConnections: before the first page nothing has been seen, so another connection may do; after it, the
// caller is told.
func TestPagesOverDyingConnections(t *testing.T) {
	t.Parallel()
	var pages atomic.Int64
	dying := map[int64]bool{1: true, 3: true} // the first page over an idle connection, and the second page
	server := startFault(t, afterBind(func(c net.Conn, id int64, o *ber.Packet) {
		if name, _ := o.Children[0].Value.(string); name == "" {
			_, _ = c.Write(append(foundWith(id, "", "supportedControl", ldap.ControlTypePaging), result(id, ldap.ApplicationSearchResultDone, 0)...))
			return
		}
		if dying[pages.Add(1)] {
			c.Close()
			return
		}
		_, _ = c.Write(append(found(id, "cn=a", "a"), withCookie(id, "more")...))
	}))
	seen := 0
	err := open(t, server.settings()).Each(t.Context(), "dc=lab", directory.Subtree, directory.Filter{}, 1, nil, func(directory.Entry) error {
		seen++
		return nil
	})
	if !errors.Is(err, directory.ErrUnanswered) || seen != 1 || pages.Load() != 3 {
		t.Errorf("%d entries of %d pages, %v", seen, pages.Load(), err)
	}
}

// withCookie ends a page, and says that there is another one.
func withCookie(id int64, cookie string) []byte {
	paging := &ldap.ControlPaging{Cookie: []byte(cookie)}
	all := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	all.AppendChild(paging.Encode())
	m := ber.DecodePacket(result(id, ldap.ApplicationSearchResultDone, 0))
	m.AppendChild(all)
	return m.Bytes()
}
