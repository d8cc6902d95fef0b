package identifier_test

import (
	"os"
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
	// Length is counted in characters, and a character of two code points that has a form of one is one.
	for text, want := range map[string]string{"äöüßéèêëàâîïôûç": "", "a\u0308öüßéèêëàâîïôûç": "", "äöüßéèêëàâîïôû": identifier.CodeMinLength, "a\u0308öüßéèêëàâîïôû": identifier.CodeMinLength} {
		_, err := r.Password(text, policy)
		if want != "" {
			wantCode(t, err, want, text)
		} else if err != nil {
			t.Errorf("%q: %v", text, err)
		}
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
}

func TestThousandsOfCommonPasswordsAreKnown(t *testing.T) {
	r := rules(t, identifier.Options{})
	list, err := os.ReadFile("common.txt")
	if err != nil {
		t.Fatal(err)
	}
	eight := identifier.PasswordPolicy{Min: 8, Max: 256} // as with a second factor
	refused := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		word := strings.TrimSpace(line)
		if strings.HasPrefix(word, "#") {
			continue
		}
		for _, password := range []string{word, word + "123456", strings.ToUpper(word[:1]) + word[1:] + "2025!", word + word, "1" + word} {
			if len(password) < eight.Min {
				continue
			}
			if _, err := r.Password(password, eight); err == nil {
				t.Errorf("%q is accepted", password)
			}
			refused[password] = true
		}
	}
	if len(refused) < 3000 {
		t.Errorf("only %d common passwords are known", len(refused))
	}
}

func TestUsualDisguisesOfCommonPasswordsAreKnown(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{"P@ssw0rdP@ssw0rd", "Adm1n1strat0r2024!", "correct-horse-battery-staple", "Correct_Horse_Battery_Staple!", "sunshine.princess", "sunshine princess 99", "1234567890qwertyuiop", "qwertyuiop1234567890!",
		"asdfghjklqwertyuiop", "1q2w3e4r5t6z7u8i9o0p"[:6] + "qwertyuiop", "1qaz2wsx3edc4rfv", "password12345678", "Passwort123456789", "0815Geheim!Geheim"[4:10] + "Passwort4711", "passwordpasswordpassword", "iloveyouiloveyou1!",
		"Liverpool1111111", "manchesterunited1999", "abcdefghijklmno", "onmlkjihgfedcba", "123456789012345", "000000000000000", "               ", "p.a.s.s.w.o.r.d.1"} {
		_, err := r.Password(s, policy)
		wantCode(t, err, identifier.CodeCommon, s)
	}
	for _, s := range []string{"password horse sunshine", "qwertyuiopasdfghjkl x", "sunshine 4839205", "Manchester in 7 Tagen", "kkkkkkkkkkkkkkkz", "mein Rad steht im Hof", "two blue bikes by a lake", "tr0ub4dor&3 and more"} {
		if _, err := r.Password(s, policy); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestAPolicyWithoutBoundsHasTheDefaults(t *testing.T) {
	r := rules(t, identifier.Options{})
	for s, want := range map[string]string{"fourteen chars": identifier.CodeMinLength, "fifteen or more": "", strings.Repeat("kzqxw vjyh", 25) + "1234567": identifier.CodeMaxLength} {
		_, err := r.Password(s, identifier.PasswordPolicy{})
		if want != "" {
			wantCode(t, err, want, s)
		} else if err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestNoPasswordIsMadeUpOfRules(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{"onlylowercaseandlong", "ONLYUPPERCASEANDLONG", "8391750264937185", "!?§$ %&/()=*+~#<>", "пароль из одних слов", "これは長いパスワードですからね"} {
		if _, err := r.Password(s, policy); err != nil {
			t.Errorf("%q: %v", s, err)
		}
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
