package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

var (
	buildOnce sync.Once
	buildPath string
	buildErr  error
	buildOut  []byte
)

// Binary builds the narthex command once per test process, with the race detector and the failpoints of the crash
// tests, and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	buildOnce.Do(func() {
		var dir string
		if dir, buildErr = os.MkdirTemp("", "narthex-bin-"); buildErr != nil {
			return
		}
		buildPath = filepath.Join(dir, "narthex")
		cmd := exec.Command("go", "build", "-race", "-tags", "failpoints", "-o", buildPath, "./cmd/narthex")
		cmd.Dir = root()
		buildOut, buildErr = cmd.CombinedOutput()
	})
	if buildErr != nil {
		t.Fatalf("build narthex: %v\n%s", buildErr, buildOut)
	}
	return buildPath
}

// RemoveBinary removes what Binary built; call it at the end of TestMain.
func RemoveBinary() {
	if buildPath != "" {
		_ = os.RemoveAll(filepath.Dir(buildPath))
	}
}

// root is the module's directory.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}
