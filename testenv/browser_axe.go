package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// axeSource reads the rules of axe-core, which the test command installs.
var axeSource = sync.OnceValues(func() (string, error) {
	content, err := os.ReadFile(filepath.Join(root(), "testenv", "axe", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("axe-core is not installed: run ./testenv/test.sh, or 'npm ci' in testenv/axe: %w", err)
	}
	return string(content), nil
})

// axeFinding is what axe-core says of one rule.
type axeFinding struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		Target  []any  `json:"target"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Axe tells where the page breaks an accessibility rule: WCAG 2.2 up to AA and what axe-core calls best practice. With
// names of rules only those are looked at.
func (b *Browser) Axe(rules ...string) []string {
	b.t.Helper()
	source, err := axeSource()
	if err != nil {
		b.t.Fatal(err)
	}
	if Evaluate[string](b, "typeof axe") == "undefined" {
		Evaluate[string](b, source+";'there'")
	}
	options := `{resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}`
	if len(rules) > 0 {
		options = `{resultTypes: ["violations"], runOnly: {type: "rule", values: ["` + strings.Join(rules, `","`) + `"]}}`
	}
	var found []string
	for _, f := range Evaluate[[]axeFinding](b, "axe.run(document, "+options+").then(r => r.violations)") {
		for _, n := range f.Nodes {
			found = append(found, fmt.Sprintf("%s (%s): %v: %s", f.ID, f.Help, n.Target, n.Summary))
		}
	}
	return found
}
