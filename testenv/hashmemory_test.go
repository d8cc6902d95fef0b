//go:build linux

package testenv_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/narthex/narthex/testenv"
)

// TestWhatKeepsTheMemoryOfHashesIsNeverThere looks at a persister as people run it: what it allocates to keep its collector
// calm is half a gibibyte that takes no memory, and is left out where such memory counts.
func TestWhatKeepsTheMemoryOfHashesIsNeverThere(t *testing.T) {
	t.Parallel()
	const reserved, most = 512 << 10, 250 << 10 // KiB
	for name, c := range map[string]struct {
		limit string
		keeps bool
	}{
		"no limit":              {"true", true},
		"a limit of its memory": {"ulimit -v 8388608", false},
	} {
		t.Run(name, func(t *testing.T) {
			program := script(t, fmt.Sprintf("%s\nexec %s \"$@\"", c.limit, testenv.PlainBinary(t)))
			s := testenv.LaunchBinary(t, program, "NARTHEX_DATA_DIR="+t.TempDir())
			if err := s.WaitReady(); err != nil {
				t.Fatalf("%v\n%s", err, s.Log())
			}
			p := testenv.Person{Email: "ada@example.org", GivenName: "Ada", FamilyName: "Lovelace", Password: "the analytical engine weaves"}
			if _, err := testenv.NewClient(s.URL).Register(p, s.Code); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				if r, err := testenv.NewClient(s.URL).Login(p.Email, p.Password); err != nil || r.Status != http.StatusOK {
					t.Fatalf("log in: %v %d %s", err, r.Status, r.Raw)
				}
			}
			data, resident := memoryOf(t, s.Persister(), "VmData"), memoryOf(t, s.Persister(), "VmRSS")
			t.Logf("%d KiB allocated, %d KiB there", data, resident)
			if keeps := data > reserved; keeps != c.keeps {
				t.Errorf("%d KiB are allocated", data)
			}
			if resident > most {
				t.Errorf("%d KiB are there", resident)
			}
		})
	}
}

// memoryOf is a line of a process's status in KiB (proc_pid_status(5)).
func memoryOf(t *testing.T, pid int, line string) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("there is no %s in\n%s", line, status)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
