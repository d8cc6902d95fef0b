package seal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/seal"
)

func TestAKeyIsReplacedWithoutLosingWhatIsSealed(t *testing.T) {
	const first = "3c1f0e9ad24b58677a6b5c4d3e2f10018f9eadbccbda07165243a1b2c3d4e5f6"
	added, err := seal.Add(first + "\n")
	if err != nil {
		t.Fatal(err)
	}
	promoted, err := seal.Promote(added)
	if err != nil {
		t.Fatal(err)
	}
	retired, err := seal.Retire(promoted)
	if err != nil {
		t.Fatal(err)
	}
	before, after := ring(t, added), ring(t, promoted)
	if got, want := after.Fingerprints(), []string{before.Fingerprints()[1], before.Fingerprints()[0]}; !slices.Equal(got, want) {
		t.Errorf("promoted: %v, want %v", got, want)
	}
	if !strings.HasPrefix(added, first+"\n") || !strings.HasSuffix(promoted, "\n"+first) || strings.Contains(retired, first) {
		t.Error("the old key is not where it belongs")
	}
	if got := ring(t, retired).Fingerprints(); !slices.Equal(got, after.Fingerprints()[:1]) {
		t.Errorf("retired: %v", got)
	}
	// Whoever has both keys believes whoever has either one first.
	for name, pair := range map[string][2]*seal.Keyring{"new at old": {after, before}, "old at new": {before, after}, "old at old": {ring(t, first), after}} {
		sum, err := pair[0].MAC("test", "value")
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := pair[1].CheckMAC(sum, "test", "value"); err != nil || !ok {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	for _, change := range []func(string) (string, error){seal.Add, seal.Promote, seal.Retire} {
		if _, err := change("no key"); err == nil || strings.Contains(err.Error(), "no key") {
			t.Errorf("a broken secret: %v", err)
		}
	}
}
