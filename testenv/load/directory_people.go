package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/plugin"
)

// resident is somebody who stands in the directory already; all look alike but for a number.
type resident struct{ username, mail, id string }

func residentOf(i int) resident {
	return resident{fmt.Sprintf("person%07d", i), fmt.Sprintf("person%07d@example.org", i), fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i)}
}

// settle loads residents into a tree, without claims.
func (t *tree) settle(r *run, residents int) {
	var ldif strings.Builder
	for i := range residents {
		p := residentOf(i)
		fmt.Fprintf(&ldif, "dn: uid=%s,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: Ada Lovelace\ngivenName: Ada\nsn: Lovelace\nmail: %s\nentryUUID: %s\n\n",
			p.username, t.People, p.username, p.mail, p.id)
	}
	t.LoadOffline(r, ldif.String())
}

// claims adds the claims of a resident as adopting them does.
func (w *wires) claims(p resident) error {
	user, mail := w.key(plugin.KindUsername, "uid", p.username), w.key(plugin.KindEmail, "mail", p.mail)
	add := func(k plugin.Key, more ...attribute) error {
		return w.add(w.claimDN(k), append([]attribute{is("objectClass", "device"), is("cn", claim.Name(k.Canonical)),
			is("description", fmt.Sprintf("A %s - %s %s", k.Kind, digits(10), p.id))}, more...)...)
	}
	if err := add(mail); err != nil {
		return err
	}
	return add(user, is("l", "uid="+p.username+","+w.People), is("serialNumber", claim.Name(mail.Canonical)))
}

// bareAdoption adds the claims of all residents, bit by bit.
type bareAdoption struct {
	*wires
	residents int
	next      atomic.Int64
	took      time.Duration
}

// work goes on for a while, with as many workers as adopting has. done tells that nothing is left.
func (b *bareAdoption) work(r *run, span time.Duration) (done bool) {
	var all sync.WaitGroup
	begin := time.Now()
	for range connections {
		all.Go(func() {
			for time.Since(begin) < span {
				i := int(b.next.Add(1)) - 1
				if i >= b.residents {
					return
				}
				if err := b.claims(residentOf(i)); err != nil {
					r.Errorf("add the claims of %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	b.took += time.Since(begin)
	return int(b.next.Load()) >= b.residents || r.Failed()
}
