package docs_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// eventsInCode are the places where the code names an event of the audit trail.
var eventsInCode = regexp.MustCompile(`"event", "([a-z.]+[a-z])"|"((?:account|keys)\.[a-z]+)"|Action = "([a-z]+)"`)

// TestTheAuditTrailsEventsAreDocumented compares the events of the code with those of the handbook.
func TestTheAuditTrailsEventsAreDocumented(t *testing.T) {
	code := map[string]bool{}
	for _, dir := range []string{"../internal/flow", "../internal/login", "../cmd/narthex"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, found := range eventsInCode.FindAllStringSubmatch(read(t, file), -1) {
				if found[3] != "" {
					found[1] = "registration." + found[3]
				}
				code[found[1]+found[2]] = true
			}
		}
	}
	delete(code, "registration.show") // only a look
	_, section, _ := strings.Cut(read(t, "operations.md"), "\n## Audit trail\n")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[string]bool{}
	for line := range strings.Lines(section) {
		if row, ok := strings.CutPrefix(line, "| `event` |"); ok {
			for _, found := range regexp.MustCompile("`([a-z]*(?:\\.[a-z]+)?)`").FindAllStringSubmatch(row, -1) {
				if strings.HasPrefix(found[1], ".") {
					found[1] = "registration" + found[1]
				}
				documented[found[1]] = true
			}
		}
	}
	if !maps.Equal(code, documented) || len(code) < 10 {
		t.Errorf("the code has %v\nthe handbook has %v", slices.Sorted(maps.Keys(code)), slices.Sorted(maps.Keys(documented)))
	}
}
