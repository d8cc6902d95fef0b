package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
)

// boundary compares logins at a persister that is a process of its own with the same at a store in this one: what the
// way there and back costs, in CPU time of both processes.
func boundary(r *run) {
	r.printf("\n| CPU of a login at the store, cheapest hash | callers | in this process | through the plugin | difference |\n|---|---|---|---|---|")
	for _, database := range r.databases {
		g := r.target(database)
		g.Kill()
		host := r.store(g)
		here := r.storeHere(g)
		if _, err := host.Backend().Create(r.Context(), old(0)); err != nil {
			r.Fatal(err)
		}
		for _, callers := range []int{1, 8} {
			near := r.logins(g, here, callers)
			far := r.logins(g, host.Backend().Authenticator, callers)
			r.printf("| %s | %d | %s | %s | %s |", database, callers, short(near), short(far), short(far-near))
		}
		if err := host.Close(); err != nil {
			r.Error(err)
		}
		if err := here.Close(); err != nil {
			r.Error(err)
		}
	}
}

// storeHere opens a target's accounts in this process.
func (r *run) storeHere(g *target) *sqlstore.Store {
	o := sqlstore.Options{Path: filepath.Join(g.DataDir, "accounts.db"), Hash: sqlstore.CheapestHash}
	for _, v := range g.env {
		if dsn, found := strings.CutPrefix(v, "NARTHEX_SQL_DSN="); found {
			o.DSN = dsn
		}
	}
	store, err := sqlstore.Open(r.Context(), o)
	if err != nil {
		r.Fatal(err)
	}
	return store
}

// logins measures the CPU time of one login, without the database server's.
func (r *run) logins(g *target, at plugin.Authenticator, callers int) time.Duration {
	const each = 2000
	a := old(0)
	in := func(n int) {
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for range n / callers {
					if _, err := at.Authenticate(context.Background(), a.Keys[1], a.Password); err != nil {
						r.Errorf("log in: %v", err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	in(each / 4) // statements are prepared, connections made
	used := func() time.Duration { return cpuTime(r, os.Getpid()) - cpuTime(r, g.database) }
	before := used()
	in(each)
	return (used() - before) / each
}
