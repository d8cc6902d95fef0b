package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// build is a binary that is built once per process.
type build struct {
	args []string
	once sync.Once
	path string
	err  error
	out  []byte
}

var (
	testedBuild = build{args: []string{"-race", "-tags", "failpoints"}}
	plainBuild  build
)

// Binary builds the narthex command once per test process, with the race detector and the failpoints of the crash
// tests, and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	return testedBuild.get(t)
}

// PlainBinary builds the narthex command as people run it, and returns its path: for measuring.
func PlainBinary(t testing.TB) string {
	t.Helper()
	return plainBuild.get(t)
}

func (b *build) get(t testing.TB) string {
	t.Helper()
	b.once.Do(func() {
		var dir string
		if dir, b.err = os.MkdirTemp("", "narthex-bin-"); b.err != nil {
			return
		}
		b.path = filepath.Join(dir, "narthex")
		cmd := exec.Command("go", append(append([]string{"build"}, b.args...), "-o", b.path, "./cmd/narthex")...)
		cmd.Dir = root()
		b.out, b.err = cmd.CombinedOutput()
	})
	if b.err != nil {
		t.Fatalf("build narthex: %v\n%s", b.err, b.out)
	}
	return b.path
}

// RemoveBinary removes what was built; call it at the end of TestMain.
func RemoveBinary() {
	for _, b := range []*build{&testedBuild, &plainBuild} {
		if b.path != "" {
			_ = os.RemoveAll(filepath.Dir(b.path))
		}
	}
}

// root is the module's directory.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}
