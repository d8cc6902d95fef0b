package ldapstore_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// complaint is slapd's own, of a search that an index would serve and none does.
var complaint = regexp.MustCompile(`candidates: \(([^)]*)\) not indexed`)

// allIndexed fails the test if anything was searched for that the doctor asks no index for. The directory has been started
// WithFilterLog, and its indexes are those that the doctor prints.
func allIndexed(t *testing.T, d *testenv.Directory) {
	t.Helper()
	var lacking []string
	for _, found := range complaint.FindAllStringSubmatch(d.Log(), -1) {
		if found[1] != "userPassword" { // asked of entries that were found by their ids, or read by name
			lacking = append(lacking, found[1])
		}
	}
	slices.Sort(lacking)
	if lacking = slices.Compact(lacking); len(lacking) > 0 {
		t.Errorf("slapd has no index for %s", strings.Join(lacking, ", "))
	}
	d.LDAPSearch(t, d.Base, "(street=nowhere)", "1.1")
	if !complaint.MatchString(d.Log()) {
		t.Error("slapd complains of nothing at all: this shows nothing")
	}
}
