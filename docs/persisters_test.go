package docs_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

// tutorial lays the files of the document, as if they were a package of this module that is called by name, and returns
// the flag that makes the go command see them. Nothing is written into the tree.
func tutorial(t *testing.T, pkg string) (overlay string) {
	t.Helper()
	dir := t.TempDir()
	place, err := filepath.Abs(pkg)
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for _, b := range blocks(t, "persisters.md") {
		if b.language != "go" {
			continue
		}
		if len(b.marks) != 1 || filepath.Base(b.marks[0]) != b.marks[0] {
			t.Fatalf("a block of Go is no complete file: it is marked %q", b.marks)
		}
		file := filepath.Join(dir, b.marks[0])
		if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(place, b.marks[0])] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + overlay
}

func TestThePersisterOfTheDocumentPassesTheSuite(t *testing.T) {
	const pkg = "mypersister"
	overlay := tutorial(t, pkg)
	binary := filepath.Join(t.TempDir(), "mypersister")
	run(t, "go", "build", overlay, "-o", binary, "./"+pkg)
	sum, err := plugin.Checksum(binary)
	if err != nil {
		t.Fatal(err)
	}
	plugintest.RunBackend(t, func(t *testing.T) plugin.Backend {
		host, err := plugin.Open(t.Context(), plugin.OpenConfig{Path: binary, SHA256: sum, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := host.Close(); err != nil {
				t.Error(err)
			}
		})
		return host.Backend()
	}, plugintest.Without(plugin.CapAuthenticator, plugin.CapPasswordSetter, plugin.CapUpdater, plugin.CapLister,
		plugin.CapMaintainer, plugin.CapStatuses))
}

func TestTheTestOfTheDocumentPasses(t *testing.T) {
	const pkg = "mypersister"
	binary := filepath.Join(t.TempDir(), "mypersister.test")
	run(t, "go", "test", "-c", "-vet=off", tutorial(t, pkg), "-o", binary, "./"+pkg)
	out := run(t, binary, "-test.v")
	if !strings.Contains(out, "PASS: TestContractOverTheWire/Create/") {
		t.Errorf("no rule was run:\n%s", out)
	}
}

func TestErrorsOfTheDocumentAreThoseOfTheContract(t *testing.T) {
	source, document := read(t, "../plugin/errors.go"), map[string]bool{}
	for _, row := range tableRows(read(t, "persisters.md"), 3) {
		document[strings.Trim(row[0], "`")] = true
	}
	found := 0
	for line := range strings.Lines(source) {
		name, _, is := strings.Cut(line, "= errors.New(")
		if !is {
			continue
		}
		found++
		if !document[strings.TrimSpace(name)] {
			t.Errorf("the document does not mention %s", name)
		}
	}
	if found < 7 {
		t.Errorf("found only %d errors in the contract", found)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
