// Command load measures a whole sidecar: complete registrations with their mails over SMTP, logins, the start, and what
// all that costs in CPU time and memory, side by side with what the machine can do; and accounts in a directory beside the
// bare LDAP requests that they consist of. Compare its figures within one run only: machines are noisy.
//
//	go run ./testenv/load                 everything; it takes its time
//	go run ./testenv/load -only start     one part
//	go run ./testenv/load -only directory-creates,directory-adopt,directory-lookup -entries 10000
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/timerslack"
	"github.com/narthex/narthex/testenv"
)

// settings are the command line.
type settings struct {
	databases []string
	clients   []int
	span      time.Duration
	accounts  int
	entries   int
	socket    bool
	only      []string
}

// parts of a run, in their order.
var parts = []struct {
	name    string
	measure func(*run)
}{
	{"registrations", registrations},
	{"cheap", cheapRegistrations},
	{"latency", latency},
	{"calls", calls},
	{"boundary", boundary},
	{"start", starts},
	{"growth", growth},
	{"directory-creates", directoryCreates},
	{"directory-adopt", directoryAdopt},
	{"directory-lookup", directoryLookup},
}

func main() {
	s, err := readSettings(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	timerslack.Relax() // as the sidecar does
	debug.SetGCPercent(quietGC)
	code := testenv.Command(os.Stderr, func(t testing.TB) {
		r := &run{TB: t, settings: s, out: os.Stdout}
		for _, p := range parts {
			if len(s.only) == 0 || slices.Contains(s.only, p.name) {
				p.measure(r)
			}
		}
	})
	testenv.RemoveBinary()
	os.Exit(code)
}

// quietGC makes this process collect its garbage seldom: it shares the machine with what it measures.
const quietGC = 800

func readSettings(args []string) (settings, error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	databases := flags.String("databases", "sqlite,postgres", "databases to measure, separated by commas")
	clients := flags.String("clients", "8,64", "how many people register at once, separated by commas")
	span := flags.Duration("for", 8*time.Second, "how long a figure is measured; registrations beside bare hashing take six times as long")
	accounts := flags.Int("accounts", 200_000, "how many accounts the store has when growth is measured")
	entries := flags.Int("entries", 100_000, "how many people the directory has when adopting them and looking them up is measured")
	socket := flags.Bool("socket", false, "reach PostgreSQL through its Unix socket instead of TCP")
	only := flags.String("only", "", "measure these parts only: registrations, cheap, latency, calls, boundary, start, growth, directory-creates, directory-adopt, directory-lookup")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	s := settings{databases: strings.Split(*databases, ","), span: *span, accounts: *accounts, entries: *entries, socket: *socket}
	for n := range strings.SplitSeq(*clients, ",") {
		var count int
		if _, err := fmt.Sscanf(n, "%d", &count); err != nil || count < 1 {
			return s, fmt.Errorf("%q is no number of clients", n)
		}
		s.clients = append(s.clients, count)
	}
	if *only != "" {
		s.only = strings.Split(*only, ",")
	}
	for _, name := range s.only {
		if !slices.ContainsFunc(parts, func(p struct {
			name    string
			measure func(*run)
		}) bool {
			return p.name == name
		}) {
			return s, fmt.Errorf("there is no part %q", name)
		}
	}
	return s, nil
}
