package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/narthex/narthex/testenv"
)

// figures are what a closed loop of people gave.
type figures struct {
	made
	sidecarCPU, storeCPU, othersCPU time.Duration // of all: sidecar with persister, database server, what is none of ours
	peak                            float64       // MiB of PSS, both processes
	bare                            bare          // hashing alone, before and after
}

// add adds another round.
func (f *figures) add(o figures) {
	f.made.add(o.made)
	f.sidecarCPU, f.storeCPU, f.othersCPU = f.sidecarCPU+o.sidecarCPU, f.storeCPU+o.storeCPU, f.othersCPU+o.othersCPU
	f.peak = max(f.peak, o.peak)
	f.bare.add(o.bare.made)
	f.bare.cpu += o.bare.cpu
}

// sidecar is the CPU of one registration in sidecar and persister, store the database server's.
func (f *figures) sidecar() time.Duration { return f.sidecarCPU / time.Duration(f.count) }
func (f *figures) store() time.Duration   { return f.storeCPU / time.Duration(f.count) }

// others is how many cores were busy with other work than ours.
func (f *figures) others() float64 { return max(f.othersCPU.Seconds()/f.took.Seconds(), 0) }

// password of everybody.
const password = "a long and private sentence"

// sampling is how often the memory is looked at. A look costs milliseconds of every process that is looked at.
const sampling = 2 * time.Second

var people atomic.Int64

// somebody is a person with an address of their own.
func somebody() testenv.Person {
	return testenv.Person{Email: fmt.Sprintf("person%d@example.org", people.Add(1)), GivenName: "Ada", FamilyName: "Lovelace", Password: password}
}

var errNoMail = errors.New("no mail came within ten seconds")

// register walks one person through the default flow.
func (g *target) register(c *testenv.Client, p testenv.Person) error {
	arrived := g.mails.expect(p.Email)
	r, err := c.Register(p, func(string) (string, error) {
		select {
		case m := <-arrived:
			return m.code, nil
		case <-time.After(10 * time.Second):
			return "", errNoMail
		}
	})
	// A store that is busy says when to ask again, and nothing is lost: people do so.
	for end := time.Now().Add(time.Minute); r.Status == http.StatusServiceUnavailable && time.Now().Before(end); {
		seconds, _ := strconv.Atoi(r.Header.Get("Retry-After"))
		time.Sleep(time.Duration(max(seconds, 1)) * time.Second)
		r, err = c.Step("persist", map[string]any{})
		err = ok(r, err, http.StatusOK)
	}
	return err
}

// load lets clients do something again and again: a quarter of the span to warm up, then for the figures. One processor is
// plenty for that, and does not wake others for work that is over before they come.
func (r *run) load(g *target, clients int, span time.Duration, do func(*testenv.Client) error) (f figures) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var measured atomic.Bool
	var mu sync.Mutex
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			c := g.client()
			for ctx.Err() == nil {
				begin, counts := time.Now(), measured.Load()
				if err := do(c); err != nil {
					r.Errorf("%v", err)
					return
				}
				if counts && measured.Load() {
					mu.Lock()
					f.spans = append(f.spans, time.Since(begin))
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(span / 4)
	sidecar, store, begin := cpuTime(r, g.PID()), cpuTime(r, g.database), time.Now()
	machine, own := machineTime(r), ownCPU()
	done := people.Load()
	measured.Store(true)
	for end := begin.Add(span); time.Now().Before(end); f.peak = max(f.peak, memory(r, g.PID(), "smaps_rollup", "Pss")) {
		time.Sleep(min(sampling, time.Until(end)))
	}
	measured.Store(false)
	f.took = time.Since(begin)
	f.count = max(int(people.Load()-done), 1)
	f.sidecarCPU, f.storeCPU = cpuTime(r, g.PID())-sidecar, cpuTime(r, g.database)-store
	f.othersCPU = machineTime(r) - machine - (ownCPU() - own) - f.sidecarCPU - f.storeCPU
	stop()
	all.Wait()
	return f
}

// quietly measures again, up to three times, what other work on the machine has spoilt, and keeps the least spoilt.
func quietly(measure func() figures) figures {
	best := measure()
	for range 2 {
		if best.others() <= noise {
			break
		}
		if f := measure(); f.others() < best.others() {
			best = f
		}
	}
	return best
}

// noise is how many cores others may use before a figure is taken again.
const noise = 0.1

func (g *target) registering(c *testenv.Client) error { return g.register(c, somebody()) }

// registrations compares complete registrations at the default hash with bare hashing.
func registrations(r *run) {
	r.printf("\n| registrations, default hash | clients | per second | of bare argon2id, median of the rounds | in the middle half of them | bare | p50 | p99 | CPU beside the hash | CPU of the database | peak of both processes | cores busy with other work |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, database := range r.databases {
		for _, clients := range r.clients {
			f := quietly(func() figures { return r.beside(database, clients) })
			low, median, high := f.ratio(f.bare.made)
			r.printf("| %s | %d | %.1f | %.0f %% | %.0f to %.0f %% | %.1f | %s | %s | %s | %s | %.0f MiB | %.2f |", database, clients, f.perSecond(),
				100*median, 100*low, 100*high, f.bare.perSecond(), short(f.at(50)), short(f.at(99)), short(f.sidecar()-f.bare.each()),
				short(f.store()), f.peak, f.others())
		}
	}
}

// beside measures registrations with a sidecar of their own, in rounds, and bare hashing before and after each: a machine
// that is shared is not always equally quick. Many clients need longer rounds, because each of them waits longer.
func (r *run) beside(database string, clients int, env ...string) (all figures) {
	times, span := rounds, r.span/4
	if clients > 16 {
		times, span = rounds/3, r.span
	}
	g := r.target(database, env...)
	defer g.Kill()
	before := r.hashes(r.span / 8)
	for range times {
		f := r.load(g, clients, span, g.registering)
		after := r.hashes(r.span / 8)
		f.bare, before = before.and(after), after
		all.add(f)
	}
	return all
}

// cheapRegistrations shows what is left when hashes cost next to nothing, also in parts of a default hash.
func cheapRegistrations(r *run) {
	r.printf("\n| registrations, cheapest hash | clients | per second | p50 | p99 | CPU of sidecar and persister, of a hash | CPU of the database, of a hash | peak | cores busy with other work |\n|---|---|---|---|---|---|---|---|---|")
	for _, database := range r.databases {
		for _, clients := range []int{1, 8} {
			f := quietly(func() figures { return r.beside(database, clients, cheapest) })
			r.printf("| %s | %d | %.0f | %s | %s | %s, %s | %s, %s | %.0f MiB | %.2f |", database, clients, f.perSecond(), short(f.at(50)), short(f.at(99)),
				short(f.sidecar()), f.bare.part(f.sidecar()), short(f.store()), f.bare.part(f.store()), f.peak, f.others())
		}
	}
}

// growth compares an empty store with one that has many accounts.
func growth(r *run) {
	r.printf("\n| registrations, cheapest hash, 8 clients | accounts before | per second | CPU of sidecar and persister | CPU of the database | cores busy with other work |\n|---|---|---|---|---|---|")
	for _, database := range r.databases {
		for _, accounts := range []int{0, r.accounts} {
			g := r.target(database, cheapest)
			r.fill(g, accounts)
			r.rest(g)
			f := quietly(func() figures { return r.load(g, 8, r.span, g.registering) })
			g.Kill()
			r.printf("| %s | %d | %.0f | %s | %s | %.2f |", database, accounts, f.perSecond(), short(f.sidecar()), short(f.store()), f.others())
		}
	}
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

// ok tells whether an answer is what a caller wanted.
func ok(r testenv.Reply, err error, status int) error {
	if err == nil && r.Status != status {
		err = fmt.Errorf("answered %d: %s", r.Status, r.Raw)
	}
	return err
}

// latency measures from submitting the address to the mail at the mail server, one person at a time.
func latency(r *run) {
	r.printf("\n| from the address to the mail, idle | p50 | p99 |\n|---|---|---|")
	for _, database := range r.databases {
		g := r.target(database, cheapest)
		var spans []time.Duration
		for range 60 {
			c, p := g.client(), somebody()
			reply, err := c.Start()
			if err := ok(reply, err, http.StatusCreated); err != nil {
				r.Fatal(err)
			}
			arrived, begin := g.mails.expect(p.Email), time.Now()
			reply, err = c.Items("about-you", map[string]any{"email": p.Email, "given_name": p.GivenName, "family_name": p.FamilyName})
			if err := ok(reply, err, http.StatusOK); err != nil {
				r.Fatal(err)
			}
			select {
			case m := <-arrived:
				spans = append(spans, m.at.Sub(begin))
			case <-time.After(10 * time.Second):
				r.Fatal(errNoMail)
			}
			time.Sleep(20 * time.Millisecond)
		}
		g.Kill()
		slices.Sort(spans)
		r.printf("| %s | %s | %s |", database, short(spans[len(spans)/2]), short(spans[len(spans)*99/100]))
	}
}
