package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/narthex/narthex/internal/seal"
)

const (
	keyA = "8f2a1c0d9e3b4756a1b2c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f7081"
	keyB = "0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e9fb"
)

func ring(t *testing.T, keys ...string) *seal.Keyring {
	t.Helper()
	r, err := seal.NewKeyring(strings.Join(keys, "\n") + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSecretIsRefused(t *testing.T) {
	for name, secret := range map[string]string{
		"when empty":              " \n",
		"when short":              keyA[:62],
		"when not hexadecimal":    strings.Replace(keyA, "8f", "xy", 1),
		"when not random":         strings.Repeat("ab", 32),
		"when a key stands twice": keyA + "\n" + keyA,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.NewKeyring(secret)
			if err == nil {
				t.Fatal("accepted")
			}
			if key := strings.TrimSpace(secret); len(key) > 8 && strings.Contains(err.Error(), key[:8]) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func TestSealedTextOpensOnlyAsItWasSealed(t *testing.T) {
	r := ring(t, keyA)
	half, other := opener(t), opener(t)
	sealed, err := r.Seal("row", half, "ref 1", []byte("ada"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("ada")) {
		t.Error("the clear text shows")
	}
	if clear, err := r.Open("row", half, "ref 1", sealed); err != nil || string(clear) != "ada" {
		t.Errorf("Open = %q, %v", clear, err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another purpose":  func() ([]byte, error) { return r.Open("outbox", half, "ref 1", sealed) },
		"another half":     func() ([]byte, error) { return r.Open("row", other, "ref 1", sealed) },
		"no half":          func() ([]byte, error) { return r.Open("row", nil, "ref 1", sealed) },
		"another context":  func() ([]byte, error) { return r.Open("row", half, "ref 2", sealed) },
		"another secret":   func() ([]byte, error) { return ring(t, keyB).Open("row", half, "ref 1", sealed) },
		"a changed text":   func() ([]byte, error) { return r.Open("row", half, "ref 1", changed) },
		"a truncated text": func() ([]byte, error) { return r.Open("row", half, "ref 1", sealed[:10]) },
		"an empty text":    func() ([]byte, error) { return r.Open("row", half, "ref 1", nil) },
	} {
		if clear, err := open(); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%s: Open = %q, %v, want ErrSealed", name, clear, err)
		}
	}
}

func TestTheServerAloneOpensNothingThatIsSealedForTheClient(t *testing.T) {
	r := ring(t, keyA)
	// A half of zeros is what an HMAC key is filled up with: the nearest to no half at all.
	zeros := make([]byte, len(opener(t)))
	for name, half := range map[string][]byte{"a drawn half": opener(t), "a half of zeros": zeros} {
		forClient, err := r.Seal("row", half, "ref 1", []byte("ada"))
		if err != nil {
			t.Fatal(err)
		}
		if clear, err := r.Open("row", nil, "ref 1", forClient); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%s: the server opens %q, %v", name, clear, err)
		}
		forServer, err := r.Seal("row", nil, "ref 1", []byte("ada"))
		if err != nil {
			t.Fatal(err)
		}
		if clear, err := r.Open("row", half, "ref 1", forServer); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%s: it opens what is the server's: %q, %v", name, clear, err)
		}
	}
	for name, half := range map[string][]byte{"an empty half": {}, "a short half": zeros[:8], "a long half": append(zeros, 0)} {
		if _, err := r.Seal("row", half, "ref 1", []byte("ada")); err == nil {
			t.Errorf("%s seals", name)
		}
		if clear, err := r.Open("row", half, "ref 1", nil); err == nil {
			t.Errorf("%s opens %q", name, clear)
		}
	}
}

// opener draws the half of a key that a client holds.
func opener(t *testing.T) []byte {
	t.Helper()
	token, err := seal.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	return token.Opener()
}

func TestKeysAreReplacedWithoutLoss(t *testing.T) {
	old, both, later := ring(t, keyA), ring(t, keyB, keyA), ring(t, keyB)
	sealed, err := old.Seal("row", nil, "", []byte("ada"))
	if err != nil {
		t.Fatal(err)
	}
	if clear, err := both.Open("row", nil, "", sealed); err != nil || string(clear) != "ada" {
		t.Errorf("with both keys: %q, %v", clear, err)
	}
	if _, err := later.Open("row", nil, "", sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("without the old key: %v", err)
	}
	sum, err := old.MAC("code", "1", "2")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := both.CheckMAC(sum, "code", "1", "2"); !ok {
		t.Error("a hash under the old key is not recognised")
	}
	if ok, _ := later.CheckMAC(sum, "code", "1", "2"); ok {
		t.Error("a hash under a removed key is recognised")
	}
	if a, b := both.Fingerprints(), old.Fingerprints(); len(a) != 2 || a[1] != b[0] || strings.Contains(keyA, a[1]) {
		t.Errorf("fingerprints %v and %v", a, b)
	}
}

func TestNoTwoListsOfPartsShareAHash(t *testing.T) {
	r := ring(t, keyA)
	sum, _ := r.MAC("code", "ab", "c")
	for _, parts := range [][]string{{"a", "bc"}, {"abc"}, {"ab", "c", ""}, {"ab"}} {
		if ok, _ := r.CheckMAC(sum, "code", parts...); ok {
			t.Errorf("%q hashes like [ab c]", parts)
		}
	}
	if ok, _ := r.CheckMAC(sum, "limit", "ab", "c"); ok {
		t.Error("two purposes share a hash")
	}
}

func TestTokenHasExactlyOneText(t *testing.T) {
	token, err := seal.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	text := token.Text()
	again, err := seal.ParseToken(text)
	if err != nil || again != token || len(text) != 43 {
		t.Fatalf("ParseToken(%d characters) = %v", len(text), err)
	}
	// The last character carries two unused bits: each of its other spellings must be refused.
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	same := 0
	for _, c := range alphabet {
		if other, err := seal.ParseToken(text[:42] + string(c)); err == nil && other == token {
			same++
		}
	}
	if same != 1 {
		t.Errorf("%d spellings of one token are accepted", same)
	}
	// Another case of any letter is another token, or none.
	for i, c := range text {
		flipped := text[:i] + string(unicode.SimpleFold(c)) + text[i+1:]
		if other, err := seal.ParseToken(flipped); flipped != text && err == nil && bytes.Equal(other.Locator(), token.Locator()) && bytes.Equal(other.Opener(), token.Opener()) {
			t.Errorf("the letter %d is accepted in another case", i)
		}
	}
	for _, bad := range []string{"", text[:42], text + "A", text + "=", " " + text[1:], strings.Replace(text, text[:1], "+", 1), text[:21] + "\n" + text[21:]} {
		if _, err := seal.ParseToken(bad); !errors.Is(err, seal.ErrToken) {
			t.Errorf("ParseToken of a text of %d characters: %v, want ErrToken", len(bad), err)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", token, token, token, token); strings.Contains(shown, text[:8]) {
		t.Error("a token prints itself")
	}
}

func FuzzParseToken(f *testing.F) {
	token, _ := seal.NewToken()
	f.Add(token.Text())
	f.Add(strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := seal.ParseToken(text); err == nil && token.Text() != text {
			t.Errorf("%q is accepted, its text is another", text)
		}
	})
}
