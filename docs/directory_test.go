package docs_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
)

func TestDirectoryFileOfTheDocument(t *testing.T) {
	bases := map[string]directory.DN{"openldap": "dc=example,dc=org", "389ds": "dc=example,dc=org", "ad": "DC=example,DC=org"}
	seen := map[string]bool{}
	var all []block
	for _, page := range []string{"directory/openldap.md", "directory/389ds.md", "directory/active-directory.md"} {
		all = append(all, blocks(t, page)...)
	}
	for _, b := range all {
		if b.language != "yaml" {
			continue
		}
		kind := strings.Join(b.marks, " ")
		t.Run("the example for "+kind+" is a file that the persister reads", func(t *testing.T) {
			seen[kind] = true
			if _, err := entry.Decode("directory.md", []byte(b.text), directory.Kind(kind), bases[kind]); err != nil {
				t.Error(err)
			}
		})
	}
	if len(seen) != len(bases) {
		t.Errorf("there are examples for %v", slices.Sorted(maps.Keys(seen)))
	}

	t.Run("every key is documented, and no other one", func(t *testing.T) {
		rows := map[string]bool{}
		for _, row := range tableRows(read(t, "directory.md"), 3) {
			for _, name := range regexp.MustCompile("`([a-z0-9_.]+)`").FindAllStringSubmatch(row[0], -1) {
				rows[name[1]] = true
			}
		}
		known := slices.Concat(knownKeys(t, "", "x: 1"), knownKeys(t, "people.", "people: {x: 1}"), knownKeys(t, "identifiers.", "identifiers: {x: 1}"),
			knownKeys(t, "lock.", "lock: {x: 1}"), knownKeys(t, "password.", "password: {x: 1}"), knownKeys(t, "", "numbers: {uidNumber: {x: 1}}"))
		for _, key := range known {
			if below := slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, key+".") }); !below && !rows[key] {
				t.Errorf("%q is not documented", key)
			}
		}
		for row := range rows {
			if strings.Contains(row, ".") && !slices.Contains(known, row) {
				t.Errorf("the document has %q, and the file has not", row)
			}
		}
	})
}

// knownKeys asks the reader of the file which keys it knows, by one that it does not.
func knownKeys(t *testing.T, prefix, file string) []string {
	t.Helper()
	_, err := entry.Decode("f", []byte(file), directory.OpenLDAP, "dc=example,dc=org")
	if err == nil {
		t.Fatalf("%s is no fault", file)
	}
	_, list, _ := strings.Cut(err.Error(), "known here: ")
	list, _, _ = strings.Cut(list, "\n")
	var keys []string
	for key := range strings.SplitSeq(list, ", ") {
		keys = append(keys, prefix+key)
	}
	return keys
}
