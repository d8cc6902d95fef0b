package flow

import (
	"regexp"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/plugin"
)

// chiSquare measures how far counts are from being equal.
func chiSquare(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	expected, sum := float64(total)/float64(len(counts)), 0.0
	for _, c := range counts {
		sum += (float64(c) - expected) * (float64(c) - expected) / expected
	}
	return sum
}

func TestCodesAreUniformAndKeepLeadingZeros(t *testing.T) {
	step, err := (&VerifyEmailSettings{Digits: 8}).step("verify-email", nil)
	if err != nil {
		t.Fatal(err)
	}
	var places [8][10]int
	const n = 100_000
	for range n {
		code, err := step.(*verifyEmailStep).draw()
		if err != nil || len(code) != 8 {
			t.Fatalf("drew %q: %v", code, err)
		}
		for place, c := range code {
			places[place][c-'0']++
		}
	}
	for place, counts := range places {
		if chi := chiSquare(counts[:]); chi > 37 { // nine degrees of freedom: one in 40,000
			t.Errorf("place %d: chi-square is %.1f over %v", place, chi, counts)
		}
	}
}

func TestGeneratedUsernames(t *testing.T) {
	for pattern, form := range map[string]string{
		"uuid":               `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		"u{alnum:11}":        `^u[a-z0-9]{11}$`,
		"{alpha:3}-{hex:12}": `^[a-z]{3}-[0-9a-f]{12}$`,
		"x{digit:9}.y":       `^x[0-9]{9}\.y$`,
	} {
		g, err := newGenerator(pattern)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for range 2000 {
			name, err := g.draw()
			if err != nil || !regexp.MustCompile(form).MatchString(name) {
				t.Fatalf("%s drew %q: %v", pattern, name, err)
			}
			seen[name] = true
		}
		if len(seen) < 1999 {
			t.Errorf("%s drew only %d different names", pattern, len(seen))
		}
	}
}

func TestGeneratedUsernamesAreUniform(t *testing.T) {
	g, err := newGenerator("u{alnum:11}")
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]int, 36)
	for range 20_000 {
		name, err := g.draw()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range name[1:] {
			counts[strings.IndexRune(alphabets["alnum"], c)]++
		}
	}
	if chi := chiSquare(counts); chi > 80 { // 35 degrees of freedom: one in 40,000
		t.Errorf("chi-square is %.1f over %v", chi, counts)
	}
}

func TestACodesHashBelongsToOneRegistrationFlowStepAndAddress(t *testing.T) {
	ring, err := seal.NewKeyring("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	if err != nil {
		t.Fatal(err)
	}
	hash := func(step, ref, flow, address string) string {
		s := &verifyEmailStep{VerifyEmailSettings: &VerifyEmailSettings{Address: &Item{Name: "email"}}, name: step}
		v := Visit{Ref: ref, Flow: &Flow{Name: flow}, Record: &Record{Values: map[string]plugin.Value{"email": plugin.StringValue(address)}}}
		mac, err := ring.MAC(purposeCode, s.bound(v, "12345678")...)
		if err != nil {
			t.Fatal(err)
		}
		return string(mac)
	}
	seen := map[string]bool{
		hash("s", "r", "f", "a@x"): true, hash("t", "r", "f", "a@x"): true, hash("s", "q", "f", "a@x"): true,
		hash("s", "r", "g", "a@x"): true, hash("s", "r", "f", "A@x"): true,
	}
	if len(seen) != 5 {
		t.Errorf("five bindings share %d hashes", len(seen))
	}
}
