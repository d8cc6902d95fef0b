//go:build linux && !race

package sqlstore

import (
	"os"
	"os/exec"
	"reflect"
	"testing"
)

// TestSmallThingsDoNotLieAmongHashes looks at addresses, in a process of its own: what it changes lasts.
func TestSmallThingsDoNotLieAmongHashes(t *testing.T) {
	const child, size, pieces = "KEEPS_MEMORY", 4 << 10, yard * 3 / 4 / (4 << 10)
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	KeepMemory(DefaultHash)
	if len(kept.ballast) == 0 {
		t.Skip("memory that is not there counts against a limit of this machine")
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
