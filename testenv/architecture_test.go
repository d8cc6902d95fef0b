package testenv_test

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/narthex/narthex"

// listed is the part of `go list -json` that the rules need.
type listed struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// below tells whether path is the package root (relative to the module) or lies below it.
func below(path, root string) bool {
	full := module + "/" + root
	return path == full || strings.HasPrefix(path, full+"/")
}

func TestImportArrowsPointAtTheDomain(t *testing.T) {
	rules := []struct {
		from   string
		refuse func(to string) bool
		why    string
	}{
		{"plugin/example", func(to string) bool { return !below(to, "plugin") }, "the example shows that the contract is enough"},
		{"plugin/plugintest", func(to string) bool { return !below(to, "plugin") }, "the suite is for authors who have nothing else of ours"},
		{"plugin", func(to string) bool { return !below(to, "plugin") }, "plugin is the domain: it imports nothing of ours but its wire"},
		{"sqlstore", func(to string) bool { return !below(to, "plugin") && !below(to, "sqlstore") }, "a store knows the contract only"},
		{"ldapstore", func(to string) bool { return !below(to, "plugin") && !below(to, "ldapstore") }, "a store knows the contract only"},
		{"internal/flow", func(to string) bool {
			return below(to, "internal/httpapi") || below(to, "internal/web") || below(to, "internal/adminapi")
		}, "the engine does not know its faces"},
		{"internal", func(to string) bool {
			return below(to, "sqlstore") || below(to, "ldapstore") || below(to, "cmd") || below(to, "testenv")
		}, "nothing under internal imports a store, a command or the test environment"},
		{"internal/identifier", func(to string) bool { return below(to, "internal") && !below(to, "internal/identifier") }, "identifier rules depend on nothing"},
	}
	for _, p := range packages(t) {
		for _, rule := range rules {
			if !below(p.ImportPath, rule.from) {
				continue
			}
			for _, to := range p.Imports {
				if strings.HasPrefix(to, module) && rule.refuse(to) {
					t.Errorf("%s imports %s: %s", p.ImportPath, to, rule.why)
				}
			}
		}
	}
}

// TestOnlyTelemetryKnowsItsLibraries: everybody else tells what happens to an observer or a counter of their own.
func TestOnlyTelemetryKnowsItsLibraries(t *testing.T) {
	for _, p := range packages(t) {
		for _, to := range p.Imports {
			if (strings.HasPrefix(to, "github.com/prometheus/") || strings.HasPrefix(to, "go.opentelemetry.io/")) && !below(p.ImportPath, "internal/telemetry") {
				t.Errorf("%s imports %s", p.ImportPath, to)
			}
		}
	}
}

func TestEveryPackageHasExactlyOneDocComment(t *testing.T) {
	for _, p := range packages(t) {
		var documented []string
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && !strings.HasPrefix(f.Doc.Text(), "Code generated") && strings.TrimSpace(f.Doc.Text()) != "" {
				documented = append(documented, name)
			}
		}
		if len(p.GoFiles) > 0 && len(documented) != 1 {
			t.Errorf("%s: want one package comment, found them in %v", p.ImportPath, documented)
		}
	}
}

func TestTopLevelHoldsOnlyTheAgreedNames(t *testing.T) {
	agreed := []string{"cmd", "plugin", "ldapstore", "sqlstore", "testenv", "internal", "docs", "go.mod", "go.sum",
		"docker-compose.ldap.yml", "README.md", "LICENSE"}
	out, err := exec.CommandContext(t.Context(), "git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for file := range strings.Lines(string(out)) {
		top, _, _ := strings.Cut(strings.TrimSpace(file), "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(agreed, top) {
			t.Errorf("%q stands at the top level", top)
		}
	}
}
