package testenv_test

import (
	"os"
	"path/filepath"
	"testing"
)

// inFile writes the file that a setting names, and returns the variable.
func inFile(t *testing.T, variable, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return variable + "=" + path
}

// builtinAnd names a flows file with the built-in flow and more behind it.
func builtinAnd(t *testing.T, more string) string {
	t.Helper()
	builtin, err := os.ReadFile("../internal/flow/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return inFile(t, "NARTHEX_FLOWS", string(builtin)+more)
}
