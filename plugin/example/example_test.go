package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

// cheap is the least that a hash can cost, for tests that make hundreds.
var cheap = cost{MemoryKiB: 8, Passes: 1}

// lacks is what an author leaves out at first.
var lacks = plugintest.Without(plugin.CapPasswordSetter, plugin.CapUpdater, plugin.CapLister, plugin.CapMaintainer, plugin.CapStatuses)

func openIn(t *testing.T, dir string, c cost) *store {
	t.Helper()
	s, err := open(settings{Dir: dir, Hash: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.dir.Close() })
	return s
}

func TestStore(t *testing.T) {
	plugintest.Run(t, func(t *testing.T) plugin.Persister { return openIn(t, t.TempDir(), cheap) }, lacks)
}

// TestProcess judges the program itself, as a host starts it.
func TestProcess(t *testing.T) {
	host := start(t, build(t), configure(t, `{dir: "`+t.TempDir()+`", hash: {memory_kib: 8, passes: 1}}`))
	plugintest.RunBackend(t, func(*testing.T) plugin.Backend { return host.Backend() }, lacks)
}

func TestTheUsualHash(t *testing.T) {
	store, err := plugin.Of(t.Context(), openIn(t, t.TempDir(), cost{MemoryKiB: 19456, Passes: 2}))
	if err != nil {
		t.Fatal(err)
	}
	report := plugintest.Check(t.Context(), store, plugintest.Only("Authenticate/every refusal costs as much as every other"))
	if !report.Passed() {
		t.Error(report.Results)
	}
}

func TestAccountsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	first := openIn(t, dir, cheap)
	a := plugin.NewAccount{
		Attempt: plugin.Attempt(strings.Repeat("0", 32)), NotAfter: time.Now().Add(time.Minute),
		Keys:     []plugin.Key{{Kind: plugin.KindUsername, Canonical: "1:ada", Value: "ada", Attribute: "uid", Login: true}},
		Password: plugin.NewSecret("a long and private sentence"),
	}
	made, err := first.Create(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.dir.Close(); err != nil {
		t.Fatal(err)
	}
	second := openIn(t, dir, cost{MemoryKiB: 16, Passes: 2}) // costs changed since
	found, err := second.Authenticate(t.Context(), a.Keys[0], a.Password)
	if err != nil || found.ID != made.ID || !found.CreatedAt.Equal(made.CreatedAt) {
		t.Errorf("after a restart: %+v, %v, want %+v", found, err, made)
	}
	again, err := second.Create(t.Context(), a)
	if err != nil || again.ID != made.ID {
		t.Errorf("the attempt again after a restart: %+v, %v", again, err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "accounts.json"))
	if err != nil || !json.Valid(content) || strings.Contains(string(content), "private") {
		t.Errorf("the file is not right (%v): %s", err, content)
	}
}

func TestASecondProcessIsKeptOut(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, cheap)
	if _, err := open(settings{Dir: dir, Hash: cheap}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("got %v", err)
	}
}

func TestAFileThatCannotBeWrittenChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir, cheap)
	if err := os.Mkdir(filepath.Join(dir, "accounts.json.next"), 0o700); err != nil { // in the way
		t.Fatal(err)
	}
	if err := s.save([]record{{}}, t.Context().Err); err == nil || len(s.records) != 0 {
		t.Errorf("save = %v with %d accounts", err, len(s.records))
	}
}

func TestSettingsAreStrict(t *testing.T) {
	program := build(t)
	for what, c := range map[string]struct{ text, want string }{
		"a misspelt key":      {"dir: " + t.TempDir() + "\npases: 3\n", "pases"},
		"a missing directory": {"dir: /nonexistent/accounts\n", "/nonexistent/accounts"},
		"no number":           {"dir: " + t.TempDir() + "\nhash: {passes: many}\n", "settings.Hash"},
	} {
		_, err := plugin.Open(t.Context(), config(t, program, configure(t, c.text)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "example")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func configure(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "example.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func config(t *testing.T, program, settings string) plugin.OpenConfig {
	t.Helper()
	sum, err := plugin.Checksum(program)
	if err != nil {
		t.Fatal(err)
	}
	return plugin.OpenConfig{
		Path: program, SHA256: sum, Env: []string{"NARTHEX_PERSISTER_CONFIG=" + settings}, Logger: slog.New(slog.DiscardHandler),
	}
}

func start(t *testing.T, program, settings string) *plugin.Host {
	t.Helper()
	host, err := plugin.Open(context.WithoutCancel(t.Context()), config(t, program, settings))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return host
}
