package identifier_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/narthex/narthex/internal/identifier"
)

// What is forgotten is forgotten for the whole process, so this test has one of its own.
func TestWhoForgetsPhonesReadsNoneAndHasLessToCollect(t *testing.T) {
	const mark = "FORGETFUL"
	if os.Getenv(mark) == "" {
		self := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		self.Env = append(os.Environ(), mark+"=yes")
		if out, err := self.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	objects := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapObjects
	}
	before := objects()
	identifier.ForgetPhones()
	identifier.ForgetPhones() // it may be said twice
	if after := objects(); after > before/2 {
		t.Errorf("of %d objects are left %d", before, after)
	}
	for _, number := range []string{"+49 30 1234567", "+1 212 555 2368"} {
		if id, err := new(identifier.Rules).Phone(number); err == nil {
			t.Errorf("%s is read as %v", number, id)
		}
	}
}
