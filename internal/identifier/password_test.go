package identifier_test

import (
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/identifier"
)

var policy = identifier.PasswordPolicy{Min: identifier.DefaultPasswordMin, Max: identifier.DefaultPasswordMax, Context: []string{"ada.lovelace.1815@example.org", "adalovelace-1815"}}

func TestPasswordsOfEveryLengthInBetweenAreAccepted(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, n := range []int{15, 64, 128, 256} {
		// A text without a pattern that repeats.
		var b strings.Builder
		for i := range n {
			b.WriteByte("kzqxwvjyhg mnbt.cd,"[(i*i*i+i/7)%19])
		}
		got, err := r.Password(b.String(), policy)
		if err != nil || got.Reveal() != b.String() {
			t.Errorf("%d characters: %v", n, err)
		}
	}
	if _, err := r.Password(strings.Repeat("kä", 7)+"x", identifier.PasswordPolicy{Min: 15, Max: 256}); err != nil {
		// counted in characters, not in bytes; a repetition all the same
		wantCode(t, err, identifier.CodeCommon, "")
	}
}

func TestPasswordsAreRefusedExplicitlyAndNeverCut(t *testing.T) {
	r := rules(t, identifier.Options{Product: "Some Product Name"})
	for code, entered := range map[string][]string{
		identifier.CodeRequired:  {""},
		identifier.CodeMinLength: {"fourteen chars", "\u4e00\u4e8c\u4e09\u56db\u4e94"},
		identifier.CodeMaxLength: {strings.Repeat("kzqxw vjyh", 25) + "1234567", strings.Repeat("a", 1025), strings.Repeat("a", 1<<20), strings.Repeat("ä", 600)},
		identifier.CodePassword:  {"fifteen or more\x00", "fifteen or\nmore", "fifteen or more\xff", "\x00"},
		identifier.CodeCommon: {"passwordpassword", "Password12345678", "PASSWORD1234567890", "ILoveYou123456789", "correct horse battery staple", "correcthorsebatterystaple",
			"administrator123", "aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "123412341234123412341234", "012345678901234567890123", "qwertyuiopasdfgh", "lkjhgfdsapoiuytrewq",
			"ada.lovelace.1815@example.org", "ADA.Lovelace.1815", "adalovelace-1815", "adalovelace1815", "some product name", "may the force be with you"},
	} {
		t.Run(code, func(t *testing.T) {
			for _, s := range entered {
				_, err := r.Password(s, policy)
				wantCode(t, err, code, s)
			}
		})
	}
}

func TestOnlyTheWholePasswordIsCompared(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{"password is not the only word", "my cat Ada loves administrators", "qwertyuiopasdfgh and then some"} {
		if _, err := r.Password(s, policy); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	if n := identifier.CommonCount(); n < 3000 {
		t.Errorf("only %d common passwords are known", n)
	}
}

func TestOneCharacterHasOneSpellingAndBlanksStay(t *testing.T) {
	r := rules(t, identifier.Options{})
	composed, err := r.Password("ein schönes Passwort", policy)
	if err != nil {
		t.Fatal(err)
	}
	decomposed, err := identifier.PrepareLoginPassword("ein scho\u0308nes\u3000Passwort")
	if err != nil || !composed.Equal(decomposed) {
		t.Errorf("two spellings are two passwords (%v)", err)
	}
	if spaced, err := r.Password("  two blanks  at each end  ", policy); err != nil || spaced.Reveal() != "  two blanks  at each end  " {
		t.Errorf("blanks are not kept: %v", err)
	}
	upper, err := r.Password("Ein Schönes Passwort", policy)
	if err != nil || upper.Equal(composed) {
		t.Errorf("case makes no difference (%v)", err)
	}
}

func TestTheSeventyThirdByteCounts(t *testing.T) {
	r := rules(t, identifier.Options{})
	base := "a sentence of seventy-two bytes, which is where an old hash would stop.."
	a, errA := r.Password(base+"x", policy)
	b, errB := r.Password(base+"y", policy)
	if errA != nil || errB != nil || a.Equal(b) {
		t.Errorf("%d bytes: %v %v", len(base), errA, errB)
	}
}

func FuzzPassword(f *testing.F) {
	for _, s := range []string{"a long and private sentence", "e\u0301", "\x00", "passwordpassword", strings.Repeat("a", 2000)} {
		f.Add(s)
	}
	r := rules(f, identifier.Options{})
	f.Fuzz(func(t *testing.T, s string) {
		p, err := r.Password(s, policy)
		if err != nil {
			return
		}
		again, err := identifier.PrepareLoginPassword(p.Reveal())
		if err != nil || !again.Equal(p) {
			t.Errorf("%q is prepared to something that is prepared to something else: %v", s, err)
		}
		if login, err := identifier.PrepareLoginPassword(s); err != nil || !login.Equal(p) {
			t.Errorf("%q cannot be used to log in: %v", s, err)
		}
	})
}
