package ldapstore_test

import (
	"bufio"
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
	"github.com/narthex/narthex/testenv"
)

func TestNothingIsSearchedForThatTheDoctorAsksNoIndexFor(t *testing.T) {
	d, o := preparedSlapd(t, testenv.WithFilterLog())
	t.Run("whatever the contract asks for", func(t *testing.T) {
		store := open(t, o)
		plugintest.RunBackend(t, func(t *testing.T) plugin.Backend { return backend(t, store) }, append(suite(testenv.OpenLDAP), plugintest.Direct())...)
	})
	allIndexed(t, d)
}

// complaint is slapd's own, of a search that an index would serve and none does.
var complaint = regexp.MustCompile(`candidates: \(([^)]*)\) not indexed`)

// allIndexed fails the test if anything was searched for that the doctor asks no index for. The directory has been started
// WithFilterLog, and its indexes are those that the doctor prints.
func allIndexed(t *testing.T, d *testenv.Directory) {
	t.Helper()
	lacking := complaints(t, d)
	delete(lacking, "userPassword") // asked of entries that were found by their ids, or read by name
	if len(lacking) > 0 {
		t.Errorf("slapd has no index for %s", slices.Sorted(maps.Keys(lacking)))
	}
	d.LDAPSearch(t, d.Base, "(street=nowhere)", "1.1")
	if !complaints(t, d)["street"] {
		t.Error("slapd does not complain of what has no index: this shows nothing")
	}
}

// complaints are the attributes that slapd has found no index for. Its log is long.
func complaints(t *testing.T, d *testenv.Directory) map[string]bool {
	t.Helper()
	log, err := os.Open(d.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	found := map[string]bool{}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte("not indexed")) {
			if c := complaint.FindSubmatch(lines.Bytes()); c != nil {
				found[string(c[1])] = true
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}
