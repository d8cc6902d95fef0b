package directory_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

func controls(t *testing.T, d *testenv.Directory, pool *directory.Pool, server directory.Server) {
	ctx := t.Context()
	dn := directory.DN(d.People).Child("cn", "alan")
	if err := pool.Add(ctx, dn, person(d.Kind, "alan")); err != nil {
		t.Fatal(err)
	}
	change := []directory.Change{{directory.ReplaceValues, directory.Attribute{"sn", []string{"Turing"}}}}
	wrong := directory.Equal("sn", "somebody (else)")
	err := pool.Modify(ctx, dn, change, wrong)
	if server.Assertion && !directory.Refused(err, directory.AssertionFailed) || !server.Assertion && !errors.Is(err, directory.ErrUnsupported) {
		t.Errorf("a modification under a false assertion: %v", err)
	}
	err = pool.Move(ctx, dn, directory.DN(d.Groups).Child("cn", "alan"), true, wrong)
	if server.Assertion && !directory.Refused(err, directory.AssertionFailed) || !server.Assertion && !errors.Is(err, directory.ErrUnsupported) {
		t.Errorf("a move under a false assertion: %v", err)
	}
	if entry, err := pool.Read(ctx, dn, "sn"); err != nil || entry.Value("sn") != "Lovelace" {
		t.Errorf("the entry has changed: %+v, %v", entry, err)
	}
	if server.Assertion {
		if err := pool.Modify(ctx, dn, change, directory.Equal("sn", "Lovelace")); err != nil {
			t.Errorf("a true assertion: %v", err)
		}
	}
	if !server.Increment {
		if _, err := pool.Increment(ctx, dn, "uidNumber", 1); !errors.Is(err, directory.ErrUnsupported) {
			t.Errorf("an increment: %v", err)
		}
		return
	}
	increments(t, d, pool)
}

// increments: many at once, and no two get the same number.
func increments(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	counter := append(person(d.Kind, "counter"), directory.Attribute{"uidNumber", []string{"41"}}, directory.Attribute{"gidNumber", []string{"1"}},
		directory.Attribute{"uid", []string{"counter"}}, directory.Attribute{"homeDirectory", []string{"/"}})
	counter[0].Values = append(counter[0].Values, "posixAccount")
	dn := directory.DN(d.People).Child("cn", "counter")
	if err := pool.Add(t.Context(), dn, counter); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var running sync.WaitGroup
	seen := make(map[int64]bool)
	for range 50 {
		running.Go(func() {
			for range 4 {
				before, err := pool.Increment(t.Context(), dn, "uidnumber", 7)
				mu.Lock()
				if err != nil || seen[before] || (before-41)%7 != 0 {
					t.Errorf("the number was %d, %v", before, err)
				}
				seen[before] = true
				mu.Unlock()
			}
		})
	}
	running.Wait()
	if entry, err := pool.Read(t.Context(), dn, "uidNumber"); err != nil || entry.Value("uidNumber") != "1441" || len(seen) != 200 {
		t.Errorf("at the end %+v, %v, %d numbers", entry, err, len(seen))
	}
}
