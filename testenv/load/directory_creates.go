package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// maker makes accounts in one way.
type maker struct {
	way    string
	create func(name string) error
}

// directoryCreates compares the creation of accounts with the bare requests that it consists of, at one server that syncs.
func directoryCreates(r *run) {
	t := r.tree(testenv.WithSync())
	host, store, w := t.process(r), t.store(r, nil), t.wires(r)
	defer func() { _, _ = host.Close(), store.Close() }()
	makers := []maker{
		{"the bare requests", w.create},
		{"persister, its own process", t.creating(host.Backend())},
		{"persister, in this process", t.creating(store)},
	}
	t.compare(r, w, makers)
	r.printf("\n| creates in a directory (slapd, synced) | callers | per second | of the bare requests, median of %d rounds | in the middle half of them | p50 to the answer | p99 |\n|---|---|---|---|---|---|---|", rounds)
	for _, callers := range []int{1, 8, 64} {
		f := make([]made, len(makers))
		for round := range rounds {
			for turn := range makers {
				i := (turn + round) % len(makers)
				f[i].add(t.make(r, w, makers[i], callers, r.span/8))
			}
		}
		for i, m := range makers {
			low, median, high := f[i].ratio(f[0])
			r.printf("| %s | %d | %.0f | %.0f %% | %.0f to %.0f %% | %s | %s |", m.way, callers, f[i].perSecond(), 100*median,
				100*low, 100*high, short(f[i].at(50)), short(f[i].at(99)))
		}
	}
}

func (t *tree) creating(p plugin.Persister) func(string) error {
	return func(name string) error {
		_, err := p.Create(context.Background(), t.account(name))
		return err
	}
}

var created atomic.Int64

// make lets callers create accounts for a while. What goes on after the last answer counts: it is waited for.
func (t *tree) make(r *run, w *wires, m maker, callers int, span time.Duration) (f made) {
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := time.Now()
	for range callers {
		all.Go(func() {
			for time.Since(begin) < span {
				one := time.Now()
				if err := m.create(newcomer()); err != nil {
					r.Errorf("%s: %v", m.way, err)
					return
				}
				mu.Lock()
				f.spans = append(f.spans, time.Since(one))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	t.untilClosed(r, w)
	f.count, f.took = len(f.spans), time.Since(begin)
	return f
}

// newcomer is a username that nobody has; all are equally long.
func newcomer() string { return fmt.Sprintf("newcomer%08d", created.Add(1)) }

// untilClosed waits until no claim is open any more.
func (t *tree) untilClosed(r *run, w *wires) {
	for range 10_000 {
		found, err := w.search("search", t.Identifiers, ldap.ScopeSingleLevel, 0, "(ou=open)", "1.1")
		if err != nil {
			r.Fatal(err)
		}
		if len(found) == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	r.Fatal("claims stay open")
}

// account is somebody who registers with a username and an address.
func (t *tree) account(name string) plugin.NewAccount {
	return plugin.NewAccount{
		Attempt: plugin.Attempt(digits(16)), NotAfter: time.Now().Add(plugin.CreateLifetime),
		Keys:       []plugin.Key{t.key(plugin.KindUsername, "uid", name), t.key(plugin.KindEmail, "mail", name+"@example.org")},
		Attributes: plugin.Attributes{"givenName": {plugin.StringValue("Ada")}, "sn": {plugin.StringValue("Lovelace")}},
		Password:   plugin.NewSecret(password),
	}
}
