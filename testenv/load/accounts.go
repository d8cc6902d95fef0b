package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers pgx

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// store starts the sql persister of a target as a process of its own.
func (r *run) store(g *target) *plugin.Host {
	c := plugin.OpenConfig{Path: testenv.PlainBinary(r), Args: []string{"persister", "sql"}, Logger: slog.New(slog.DiscardHandler)}
	var err error
	if c.SHA256, err = plugin.Checksum(c.Path); err != nil {
		r.Fatal(err)
	}
	c.Env = append(c.Env, "ACCOUNTS_FILE="+filepath.Join(g.DataDir, "accounts.db"), cheapest)
	for _, v := range g.env {
		if strings.HasPrefix(v, "NARTHEX_SQL_DSN=") {
			c.Env = append(c.Env, v)
		}
	}
	host, err := plugin.Open(context.Background(), c)
	if err != nil {
		r.Fatal(err)
	}
	return host
}

// pings measures one call of the persister after the other, sorted.
func (r *run) pings(database string) (spans []time.Duration) {
	g := r.target(database)
	g.Kill()
	host := r.store(g)
	defer func() { _ = host.Close() }()
	key := plugin.Key{Kind: plugin.KindEmail, Canonical: "1:nobody@example.org", Value: "nobody@example.org"}
	for i := range 2200 {
		begin := time.Now()
		if _, err := host.Backend().Lookup(context.Background(), key); !errors.Is(err, plugin.ErrNotFound) {
			r.Fatalf("look nobody up: %v", err)
		}
		if i >= 200 {
			spans = append(spans, time.Since(begin))
		}
	}
	slices.Sort(spans)
	return spans
}

// fill makes accounts, with the sidecar stopped meanwhile.
func (r *run) fill(g *target, accounts int) {
	if accounts == 0 {
		return
	}
	g.Terminate()
	host := r.store(g)
	var all sync.WaitGroup
	const workers = 8
	for w := range workers {
		all.Go(func() {
			for i := w; i < accounts; i += workers {
				if _, err := host.Backend().Create(context.Background(), old(i)); err != nil {
					r.Errorf("make account %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	if err := host.Close(); err != nil || r.Failed() {
		r.Fatalf("make accounts: %v", err)
	}
	g.start(r)
}

// rest lets a database finish what a sudden crowd leaves it to do, which in years nobody notices.
func (r *run) rest(g *target) {
	for _, setting := range g.env {
		dsn, accounts := strings.CutPrefix(setting, "NARTHEX_SQL_DSN=")
		if !accounts {
			continue
		}
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			r.Fatal(err)
		}
		for _, text := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
			if _, err := db.ExecContext(r.Context(), text); err != nil {
				r.Errorf("%s: %v", text, err)
			}
		}
		_ = db.Close()
	}
}

// old is an account that has long been there.
func old(i int) plugin.NewAccount {
	name, address := fmt.Sprintf("old%d", i), fmt.Sprintf("old%d@example.org", i)
	return plugin.NewAccount{
		Attempt: plugin.Attempt(fmt.Sprintf("%032d", i)), NotAfter: time.Now().Add(15 * time.Second),
		Keys: []plugin.Key{
			{Kind: plugin.KindUsername, Canonical: "1:" + name, Value: name, Attribute: "uid", Login: true},
			{Kind: plugin.KindEmail, Canonical: "1:" + address, Value: address, Attribute: "mail", Login: true},
		},
		Attributes: plugin.Attributes{"givenName": {plugin.StringValue("Ada")}, "sn": {plugin.StringValue("Lovelace")}},
		Password:   plugin.NewSecret(password),
	}
}
