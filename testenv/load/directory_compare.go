package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

// compare makes one account in each way, and ends the run if one leaves something else than another or if the bare requests
// are others than the persister's.
func (t *tree) compare(r *run, w *wires, makers []maker) {
	var want string
	for i, m := range makers {
		left := t.leaves(r, w, m)
		if i == 0 {
			want = left
		} else if left != want {
			r.Fatalf("%s leaves\n%s\nand %s\n%s", m.way, left, makers[0].way, want)
		}
	}
	sent, trips := t.requests(r)
	clear(w.sent)
	if err := w.create(newcomer()); err != nil {
		r.Fatal(err)
	}
	w.closing.Wait()
	if !maps.Equal(w.sent, sent) {
		r.Fatalf("the bare requests are %v, the persister's %v", w.sent, sent)
	}
	total := 0
	for _, n := range sent {
		total += n
	}
	r.printf("\nA username and one alias: %d round trips one after the other before the answer; %d requests in all.", trips, total)
}

// leaves tells what an account's entry and its claims are made of: attributes, and how long their values are.
func (t *tree) leaves(r *run, w *wires, m maker) string {
	name := newcomer()
	if err := m.create(name); err != nil {
		r.Fatalf("%s: %v", m.way, err)
	}
	t.untilClosed(r, w)
	id := strings.TrimSpace(strings.SplitAfter(t.LDAPSearch(r, t.People, "(uid="+name+")", "entryUUID"), "entryUUID: ")[1])
	return shape(t.LDAPSearch(r, t.Base, "(|(uid="+name+")(description=A * "+id+"))"))
}

// shape lists the attributes of entries and how long their values are.
func shape(ldif string) string {
	var lines []string
	for line := range strings.Lines(ldif) {
		attribute, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		lines = append(lines, fmt.Sprintf("%s %d", attribute, len(value)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// far is how long a request takes to a server that is far away: so long that nothing else counts.
const far = 50 * time.Millisecond

// requests counts what the persister sends for one account, and how many of them wait for one another before the answer.
func (t *tree) requests(r *run) (sent map[string]int, trips int) {
	sent = map[string]int{}
	var mu sync.Mutex
	store := t.store(r, func(_ context.Context, o directory.Operation) error {
		mu.Lock()
		sent[o.Name]++
		mu.Unlock()
		time.Sleep(far)
		return nil
	})
	clear(sent) // what the start asks for
	begin := time.Now()
	if err := t.creating(store)(newcomer()); err != nil {
		r.Fatal(err)
	}
	trips = int(time.Since(begin) / far)
	if err := store.Close(); err != nil { // after the closing of the claims
		r.Fatal(err)
	}
	return sent, trips
}
