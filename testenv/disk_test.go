//go:build linux

package testenv_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// TestARegistrationWaitsForTheDiskFourTimes watches a sidecar and its persister on SQLite, from outside: what is answered
// and cannot be made up for is synced before the answer, and nothing else waits.
func TestARegistrationWaitsForTheDiskFourTimes(t *testing.T) {
	t.Parallel()
	const people = 10
	syncs := &watchedDisk{T: t, log: filepath.Join(t.TempDir(), "syncs")}
	data := t.TempDir()
	s := testenv.LaunchBinary(t, syncs.wrap(testenv.Binary(t)), cheapHash, "NARTHEX_DATA_DIR="+data)
	if err := s.WaitReady(); err != nil {
		t.Fatalf("%v\n%s", err, s.Log())
	}
	got := map[string]int{}
	for i := range people {
		c := testenv.NewClient(s.URL)
		p := testenv.Person{Email: fmt.Sprintf("person%d@example.org", i), GivenName: "Ada", FamilyName: "Lovelace", Password: "the analytical engine weaves"}
		var code string
		for _, step := range []struct {
			name string
			call func() (testenv.Reply, error)
		}{
			{"start", c.Start},
			{"data and message", func() (testenv.Reply, error) {
				return c.Items("about-you", map[string]any{"email": p.Email, "given_name": p.GivenName, "family_name": p.FamilyName})
			}},
			{"wrong code", func() (testenv.Reply, error) {
				var err error
				if code, err = s.Code(p.Email); err != nil {
					return testenv.Reply{}, err
				}
				return c.Step("verify-email", map[string]any{"code": other(code)})
			}},
			{"right code", func() (testenv.Reply, error) { return c.Step("verify-email", map[string]any{"code": code}) }},
			{"password", func() (testenv.Reply, error) { return c.Items("password", map[string]any{"password": p.Password}) }},
		} {
			before := syncs.count()
			r, err := step.call()
			if wrong := step.name == "wrong code"; err != nil || wrong != (r.Status == http.StatusBadRequest || r.Status == http.StatusUnprocessableEntity) {
				t.Fatalf("%s: %v %d %s", step.name, err, r.Status, r.Raw)
			}
			for file, n := range syncs.count() {
				got[step.name+", "+file] += n - before[file]
			}
		}
	}
	maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
	t.Log(got)
	for what, want := range map[string]int{
		"data and message, state.db-wal": people, // the message must not get lost
		"right code, state.db-wal":       people, // a code is taken once
		"password, state.db-wal":         people, // the intent
		"password, accounts.db-wal":      people, // the account
	} {
		if n := got[what]; n < want || n > want+want/2 {
			t.Errorf("%s: synced %d times, want %d", what, n, want)
		}
		delete(got, what)
	}
	for what, n := range got {
		if n > people/2 { // a ping or a sweep comes now and then
			t.Errorf("%s: synced %d times", what, n)
		}
	}
}

// other is a code that is not this one.
func other(digits string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, digits)
}

// watchedDisk has strace write down what a program and its children sync.
type watchedDisk struct {
	*testing.T
	log string
}

// wrap returns a program that runs another one and watches it.
func (d *watchedDisk) wrap(program string) string {
	d.Helper()
	return script(d.T, fmt.Sprintf("exec strace -D -f --seccomp-bpf -qq -y -e trace=fsync,fdatasync -o %s %s \"$@\"", d.log, program))
}

// script returns a program that is some lines of shell.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "narthex")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// count returns how often each file was synced so far.
func (d *watchedDisk) count() map[string]int {
	d.Helper()
	time.Sleep(10 * time.Millisecond) // strace writes after the call has ended
	text, err := os.ReadFile(d.log)
	if err != nil {
		d.Fatal(err)
	}
	n := map[string]int{}
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(line, "<")
		file, _, found := strings.Cut(rest, ">")
		if found && strings.Contains(line, "sync(") && strings.Contains(file, ".db") { // mails are files here
			n[filepath.Base(file)]++
		}
	}
	return n
}
