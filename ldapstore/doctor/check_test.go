package doctor_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

func TestAFreshTreeWithWhatIsPrintedIsHealthy(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			l := start(t, kind)
			l.prepare(t, nil)
			for _, round := range []string{"on a fresh tree", "once more", "with somebody there"} {
				if round == "with somebody there" {
					l.person(t)
				}
				r := l.check(t)
				for _, f := range bad(r) {
					t.Errorf("%s: %s %s: %s\n%s", round, f.Level, f.Check, f.Text, f.Fix)
				}
				for _, f := range r { // what could not be tried is not claimed
					if may := strings.HasPrefix(f.Text, "the service account may:"); may && strings.Contains(f.Text, "delete") != (round == "with somebody there") {
						t.Errorf("%s: %s", round, f.Text)
					}
				}
			}
		})
	}
}
