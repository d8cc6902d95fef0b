package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/plugin"
)

// wires send requests with the LDAP library alone: what the persister asks of a server, without the persister.
type wires struct {
	*tree
	free chan *ldap.Conn

	mu   sync.Mutex
	sent map[string]int // by the names of directory.Operation

	closing sync.WaitGroup // what goes on after the answers
}

// wires opens as many connections as the persister has.
func (t *tree) wires(r *run) *wires {
	w := &wires{tree: t, free: make(chan *ldap.Conn, connections), sent: map[string]int{}}
	for range connections {
		w.free <- t.dial(r)
	}
	r.Cleanup(func() {
		w.closing.Wait()
		for range connections {
			_ = (<-w.free).Close()
		}
	})
	return w
}

func (w *wires) send(operation string, send func(*ldap.Conn) error) error {
	conn := <-w.free
	defer func() { w.free <- conn }()
	w.mu.Lock()
	w.sent[operation]++
	w.mu.Unlock()
	if err := send(conn); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

type attribute = ldap.Attribute

func (w *wires) add(dn string, attributes ...attribute) error {
	return w.send("add", func(c *ldap.Conn) error { return c.Add(&ldap.AddRequest{DN: dn, Attributes: attributes}) })
}

func is(name string, values ...string) attribute {
	return attribute{Type: name, Vals: values}
}

// modify replaces a claim's text, and with all of them its notes: nil ones are removed.
func (w *wires) modify(dn, from, to string, notes ...attribute) error {
	request := ldap.NewModifyRequest(dn, nil)
	request.Delete("description", []string{from})
	request.Add("description", []string{to})
	for _, n := range notes {
		request.Replace(n.Type, n.Vals)
	}
	return w.send("modify", func(c *ldap.Conn) error { return c.Modify(request) })
}

func (w *wires) search(operation, base string, scope, limit int, filter string, attributes ...string) (found []*ldap.Entry, err error) {
	request := ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, limit, 0, false, filter, attributes, nil)
	err = w.send(operation, func(c *ldap.Conn) error {
		result, err := c.Search(request)
		if err == nil {
			found = result.Entries
		}
		return err
	})
	return found, err
}

// read are the attributes that the persister reads of an account.
var read = []string{"*", "entryUUID", "memberOf", "createTimestamp", "pwdStartTime", "pwdAccountLockedTime", "pwdEndTime", "pwdChangedTime"}

// bareCreation is an account in the making: the requests of a creation that nobody disturbs.
type bareCreation struct {
	*wires
	user, mail       plugin.Key
	primary, other   plugin.Key // the same two, in the order of their claims
	run, attempt     string
	dn, staged       string
	primaryP, otherP string // what the claims say at first
}

// create sends what the persister sends for one account, at once what it sends at once, and the closing of the claims after
// the answer.
func (w *wires) create(name string) error {
	c := &bareCreation{wires: w, user: w.key(plugin.KindUsername, "uid", name), mail: w.key(plugin.KindEmail, "mail", name+"@example.org"), run: digits(10), attempt: digits(16)}
	c.dn = "uid=" + name + "," + w.People
	keys := []plugin.Key{c.user, c.mail}
	slices.SortFunc(keys, func(a, b plugin.Key) int { return strings.Compare(claim.Name(a.Canonical), claim.Name(b.Canonical)) })
	c.primary, c.other = keys[0], keys[1]
	c.staged = "cn=" + c.run + "-" + claim.Name(c.primary.Canonical) + ",ou=pending," + w.Identifiers
	id, err := c.stage()
	if err != nil {
		return err
	}
	committed := fmt.Sprintf("C %s %s %s %s", c.primary.Kind, c.attempt, c.run, id)
	if err := c.modify(c.claimDN(c.primary), c.primaryP, committed); err != nil {
		return err
	}
	move := ldap.NewModifyDNRequest(c.staged, "uid="+name, true, w.People)
	if err := w.send("move", func(c *ldap.Conn) error { return c.ModifyDN(move) }); err != nil {
		return err
	}
	if _, err := w.search("search", w.People, ldap.ScopeSingleLevel, 1, "(&(entryUUID="+id+")(objectClass=inetOrgPerson))", read...); err != nil {
		return err
	}
	w.closing.Go(func() {
		_ = c.close(c.other, c.otherP, id)
		_ = c.close(c.primary, committed, id)
	})
	return nil
}

func (w *wires) claimDN(k plugin.Key) string {
	return "cn=" + claim.Name(k.Canonical) + "," + w.Identifiers
}

// stage takes the names and adds the entry.
func (c *bareCreation) stage() (id string, err error) {
	deadline := time.Now().Add(plugin.CreateLifetime).UnixMilli()
	wanted := func(k plugin.Key) string {
		return fmt.Sprintf("P %s %s %s %s %d", k.Kind, c.attempt, c.run, claim.Name(c.primary.Canonical), deadline)
	}
	c.primaryP, c.otherP = wanted(c.primary), wanted(c.other)
	primary, other := claim.Name(c.primary.Canonical), claim.Name(c.other.Canonical)
	if err := c.add(c.claimDN(c.primary), is("objectClass", "device"), is("cn", primary), is("description", c.primaryP), is("ou", "open"), is("l", c.dn), is("serialNumber", other)); err != nil {
		return "", err
	}
	if err := c.add(c.claimDN(c.other), is("objectClass", "device"), is("cn", other), is("description", c.otherP), is("ou", "open")); err != nil {
		return "", err
	}
	name := c.user.Value
	err = both(func() error {
		_, err := c.search("search", c.People, ldap.ScopeWholeSubtree, 5, "(|(uid="+name+")(mail="+c.mail.Value+"))", "uid", "mail")
		return err
	}, func() error {
		return c.add(c.staged, is("uid", name), is("mail", c.mail.Value), is("givenName", "Ada"), is("sn", "Lovelace"), is("objectClass", "inetOrgPerson"),
			is("employeeNumber", c.run+"-"+claim.Name(c.user.Canonical)), is("cn", c.run+"-"+primary, "Ada Lovelace"))
	})
	if err != nil {
		return "", err
	}
	err = both(func() error {
		return c.send("password", func(l *ldap.Conn) error {
			_, err := l.PasswordModify(ldap.NewPasswordModifyRequest(c.staged, "", password))
			return err
		})
	}, func() error {
		found, err := c.search("read", c.staged, ldap.ScopeBaseObject, 0, "(objectClass=*)", "entryUUID")
		if err == nil {
			id = found[0].GetAttributeValue("entryUUID")
		}
		return err
	})
	return id, err
}

// close turns a claim into one at rest.
func (c *bareCreation) close(k plugin.Key, from, id string) error {
	l, others := is("l"), is("serialNumber")
	if k.Kind == plugin.KindUsername {
		l, others = is("l", c.dn), is("serialNumber", claim.Name(c.mail.Canonical))
	}
	return c.modify(c.claimDN(k), from, fmt.Sprintf("A %s %s %s %s", k.Kind, c.attempt, c.run, id), is("ou"), l, others)
}

// both does two things at once.
func both(first, second func() error) error {
	done := make(chan error, 1)
	go func() { done <- first() }()
	err := second()
	if errFirst := <-done; errFirst != nil {
		return errFirst
	}
	return err
}

// digits draws hexadecimal digits, two for each byte.
func digits(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
