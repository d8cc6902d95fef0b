//go:build linux

package sqlstore

import (
	"os"
	"os/exec"
	"reflect"
	"testing"
)

// TestSmallThingsDoNotLieAmongHashes looks at addresses, in a process of its own, because what it changes lasts, and
// without the race detector, which has its own memory.
func TestSmallThingsDoNotLieAmongHashes(t *testing.T) {
	const child, size, pieces = "KEEPS_MEMORY", 4 << 10, yard * 3 / 4 / (4 << 10)
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run=^"+t.Name()+"$", ".")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if !mayReserve() {
		t.Skip("memory that is not there counts against a limit of this machine")
	}
	KeepMemory(DefaultHash)
	if len(kept.ballast) == 0 {
		t.Fatal("nothing is kept")
	}
	hash := make([]byte, DefaultHash.Memory<<10)
	lowest := reflect.ValueOf(hash).Pointer()
	for _, part := range kept.ballast {
		lowest = min(lowest, reflect.ValueOf(part).Pointer())
	}
	small := make([][]byte, pieces)
	for i := range small {
		if small[i] = make([]byte, size); reflect.ValueOf(small[i]).Pointer() > lowest {
			t.Fatalf("after %d KiB, something small lies above the ballast or a hash", i*size>>10)
		}
	}
}
