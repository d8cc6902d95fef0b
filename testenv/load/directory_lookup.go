package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/plugin"
)

// lookups of each way in each round.
const lookups = 500

// directoryLookup measures looking somebody up by their address in a large directory, one call after the other, beside the
// two bare searches that it consists of.
func directoryLookup(r *run) {
	t := r.adopted
	if t == nil {
		t = r.tree()
		t.settle(r, r.entries)
		if out, err := t.command(r, "adopt").CombinedOutput(); err != nil {
			r.Fatalf("directory adopt: %v\n%s", err, out)
		}
	}
	host, store, w := t.process(r), t.store(r, nil), t.wires(r)
	defer func() { _, _ = host.Close(), store.Close() }()
	ways := []struct {
		name string
		find func(resident) (username string, err error)
	}{
		{"the bare searches", w.find},
		{"persister, in this process", t.finding(store)},
		{"persister, its own process", t.finding(host.Backend())},
	}
	r.printf("\n| look-ups by address among %d people (slapd), one at a time | p50 | p99 | slowest |\n|---|---|---|---|", r.entries)
	f := make([]made, len(ways))
	for range rounds + 1 { // one to warm up
		for i, way := range ways {
			f[i].add(r.find(way.find))
		}
	}
	for i, way := range ways {
		f[i].spans = f[i].spans[lookups:]
		r.printf("| %s | %s | %s | %s |", way.name, short(f[i].at(50)), short(f[i].at(99)), short(f[i].at(100)))
	}
}

// find looks up people at random.
func (r *run) find(find func(resident) (string, error)) (f made) {
	for range lookups {
		p := residentOf(rand.IntN(r.entries))
		begin := time.Now()
		if found, err := find(p); err != nil || found != p.username {
			r.Fatalf("look up the address of %s: %q, %v", p.username, found, err)
		}
		f.spans = append(f.spans, time.Since(begin))
		f.took += f.spans[len(f.spans)-1]
	}
	f.count = lookups
	return f
}

func (t *tree) finding(p plugin.Persister) func(resident) (string, error) {
	return func(who resident) (string, error) {
		a, err := p.Lookup(context.Background(), t.key(plugin.KindEmail, "mail", who.mail))
		return a.Username, err
	}
}

// find reads a claim, and the entry that it names.
func (w *wires) find(p resident) (string, error) {
	name := claim.Name(w.key(plugin.KindEmail, "mail", p.mail).Canonical)
	claims, err := w.search("read", "cn="+name+","+w.Identifiers, ldap.ScopeBaseObject, 0, "(objectClass=*)", "description", "ou", "l", "serialNumber")
	if err != nil {
		return "", err
	}
	var kind, attempt, run, id string
	if _, err := fmt.Sscanf(claims[0].GetAttributeValue("description"), "A %s %s %s %s", &kind, &attempt, &run, &id); err != nil {
		return "", err
	}
	people, err := w.search("search", w.People, ldap.ScopeWholeSubtree, 1, "(entryUUID="+id+")", append([]string{"employeeNumber", "uid", "mail", "mobile"}, read...)...)
	if err != nil {
		return "", err
	}
	return people[0].GetAttributeValue("uid"), nil
}
