package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/narthex/narthex/testenv"
)

// starts measures from exec to the first ready answer on databases that exist, persister included, and what an idle
// sidecar holds.
func starts(r *run) {
	r.printf("\n| start on an existing database | until ready, median | slowest | idle, both processes (PSS) |\n|---|---|---|---|")
	for _, database := range r.databases {
		g := r.target(database)
		g.Terminate()
		var spans []time.Duration
		idle := 0.0
		for range 9 {
			begin := time.Now()
			g.start(r)
			g.untilReady(r)
			spans = append(spans, time.Since(begin))
			time.Sleep(200 * time.Millisecond)
			idle = memory(r, g.PID(), "smaps_rollup", "Pss")
			g.Terminate()
		}
		slices.Sort(spans)
		r.printf("| %s | %s | %s | %.0f MiB |", database, short(spans[len(spans)/2]), short(spans[len(spans)-1]), idle)
	}
}

// untilReady asks the readiness probe until it says yes.
func (g *target) untilReady(r *run) {
	client := &http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		resp, err := client.Get(g.Admin + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	r.Fatalf("the sidecar is not ready\n%s", g.Log())
}

// calls measures the way to the persister, and logins with and without it.
func calls(r *run) {
	r.printf("\n| calls of the persister, one at a time | p50 | p99 |\n|---|---|---|")
	for _, database := range r.databases {
		spans := r.pings(database)
		r.printf("| %s, a look-up of nobody | %s | %s |", database, short(spans[len(spans)/2]), short(spans[len(spans)*99/100]))
	}
	r.printf("\n| logins, cheapest hash, 8 clients | per second | p50 | CPU of sidecar and persister |\n|---|---|---|---|")
	for _, database := range r.databases {
		g := r.target(database, cheapest)
		// Each logs in to an account of their own: several at once to one account look like guessing.
		const clients = 8
		accounts := make(chan testenv.Person, clients)
		for range clients {
			p := somebody()
			if err := g.register(g.client(), p); err != nil {
				r.Fatal(err)
			}
			accounts <- p
		}
		f := r.load(g, clients, r.span, func(c *testenv.Client) error {
			p := <-accounts
			defer func() { accounts <- p }()
			reply, err := c.Login(p.Email, p.Password)
			people.Add(1) // counts what is done
			return ok(reply, err, http.StatusOK)
		})
		g.Kill()
		r.printf("| %s | %.0f | %s | %s |", database, f.perSecond(), short(f.at(50)), short(f.sidecar()))
	}
}
