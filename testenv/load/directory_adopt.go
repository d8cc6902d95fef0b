package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/narthex/narthex/testenv"
)

// directoryAdopt compares `narthex directory adopt` with the bare Adds of the same claims, each at a server of its own that
// syncs. The two take turns, so that other work on the machine troubles both.
func directoryAdopt(r *run) {
	r.printf("\n| claims of %d people with a username and an address (slapd, synced) | per second | took | of the bare Adds |\n|---|---|---|---|", r.entries)
	t, bare := r.tree(testenv.WithSync()), r.tree(testenv.WithSync())
	t.settle(r, r.entries)
	bare.settle(r, r.entries)
	adds := &bareAdoption{wires: bare.wires(r), residents: r.entries}
	a := &adoption{cmd: t.command(r, "adopt")}
	for added, adopted := false, false; !added || !adopted; {
		turn := r.span / 8
		if added {
			turn = time.Hour // nobody else waits
		}
		if !adopted {
			adopted = a.work(r, turn)
		}
		if adopted {
			turn = time.Hour
		}
		if !added {
			added = adds.work(r, turn)
		}
	}
	if left, want := t.claimsOf(r, 0), bare.claimsOf(r, 0); left != want {
		r.Fatalf("adopting leaves\n%s\nand the bare Adds\n%s", left, want)
	}
	claims := t.countClaims(r)
	if claims != 2*r.entries {
		r.Errorf("of %d claims there are %d\n%s", 2*r.entries, claims, a.out.String())
	}
	r.printf("| the bare Adds | %.0f | %s | 100 %% |", float64(claims)/adds.took.Seconds(), adds.took.Round(time.Millisecond))
	r.printf("| narthex directory adopt, from start to end | %.0f | %s | %.0f %% |", float64(claims)/a.took.Seconds(), a.took.Round(time.Millisecond), 100*adds.took.Seconds()/a.took.Seconds())
	again := &adoption{cmd: t.command(r, "adopt")}
	again.work(r, time.Hour)
	r.adopted = t
	r.printf("| again, when everything is claimed | | %s | |", again.took.Round(time.Millisecond))
	r.killedAdoption()
}

// killedAdoption kills adopting in the middle, and lets it run again.
func (r *run) killedAdoption() {
	people := max(r.entries/10, 1)
	t := r.tree(testenv.WithSync())
	t.settle(r, people)
	first := &adoption{cmd: t.command(r, "adopt")}
	for !first.work(r, 50*time.Millisecond) && t.countClaims(r) < people {
	}
	first.kill()
	time.Sleep(100 * time.Millisecond) // the server may still be at its last requests
	stood := t.countClaims(r)
	second := &adoption{cmd: t.command(r, "adopt")}
	second.work(r, time.Hour)
	claims := t.countClaims(r)
	if stood == 0 || stood == claims || claims != 2*people || !strings.Contains(second.out.String(), fmt.Sprintf("%d people, %d new claims, 0 claims freed, 0 duplicates", people, claims-stood)) {
		r.Errorf("killed with %d claims of %d people, it left %d and said %s", stood, people, claims, second.out.String())
	}
	r.printf("\nKilled when %d of %d claims stood, and run again: %d more in %s, none missing.", stood, claims, claims-stood, second.took.Round(time.Millisecond))
}

// adoption is `narthex directory adopt`, which works only when it is its turn.
type adoption struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ended chan error
	took  time.Duration
}

// work starts it, or lets it go on, for a while. done tells that it has come to its end.
func (a *adoption) work(r *run, span time.Duration) (done bool) {
	begin := time.Now()
	defer func() { a.took += time.Since(begin) }()
	if a.ended == nil {
		a.cmd.Stdout, a.cmd.Stderr = &a.out, &a.out
		if err := a.cmd.Start(); err != nil {
			r.Fatal(err)
		}
		r.Cleanup(a.kill)
		a.ended = make(chan error, 1)
		go func() { a.ended <- a.cmd.Wait() }()
	} else {
		_ = a.cmd.Process.Signal(syscall.SIGCONT)
	}
	select {
	case err := <-a.ended:
		if err != nil {
			r.Errorf("directory adopt: %v\n%s", err, a.out.String())
		}
		a.ended <- nil
		return true
	case <-time.After(span):
		_ = a.cmd.Process.Signal(syscall.SIGSTOP)
		return false
	}
}

// kill ends it as when the machine dies.
func (a *adoption) kill() {
	_ = a.cmd.Process.Kill()
	<-a.ended
	a.ended <- nil
}

// claimsOf tells what the claims of a resident are made of.
func (t *tree) claimsOf(r *run, i int) string {
	return shape(t.LDAPSearch(r, t.Identifiers, "(description=A * "+residentOf(i).id+")"))
}

// countClaims counts those at rest.
func (t *tree) countClaims(r *run) int {
	return strings.Count(t.LDAPSearch(r, t.Identifiers, "(description=A *)", "1.1"), "dn: ")
}
