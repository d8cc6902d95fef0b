package claim

import (
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
)

var (
	someRun     = strings.Repeat("0a", runDigits/2)
	someName    = strings.Repeat("1b", nameDigits/2)
	someAttempt = strings.Repeat("2c", 16)
)

const someID = "c4f6a0e0-79f3-1041-96bd-8751c5b1fdae"

// states has one of each form.
var states = []string{
	"P username " + someAttempt + " " + someRun + " " + someName + " 1795264525268",
	"C email " + someAttempt + " " + someRun + " " + someID,
	"A email- " + someAttempt + " " + someRun + " " + someID,
	"A phone - " + someRun + " " + someID,
	"F " + someRun,
	"M username " + someAttempt + " " + someRun + " " + someID + " " + someRun + " " + someName,
	"X unique- " + someAttempt + " " + someRun + " " + someID,
	"D username " + someAttempt + " " + someRun + " " + someID,
	"R email " + someID + " 1795264525268",
	"R email " + someID + " 1795264525268 " + someAttempt,
	"L username " + someAttempt + " " + someRun + " " + someID + " " + someRun + " " + someName,
	"K username " + someAttempt + " " + someRun + " " + someID + " " + someRun + " " + someName,
}

func TestState(t *testing.T) {
	t.Run("every form is read and written alike", func(t *testing.T) {
		for _, text := range states {
			if s, err := parse(text); err != nil || s.String() != text || s.text != text {
				t.Errorf("%q: %v, %q", text, err, s)
			}
		}
	})
	t.Run("anything else is corrupt", func(t *testing.T) {
		for _, text := range states {
			for _, broken := range []string{text + " ", " " + text, text + " x", strings.Replace(text, " ", "  ", 1), strings.ToLower(text[:1]) + text[1:],
				strings.ToUpper(text) + "!", text[:len(text)-1] + "\x00", strings.ReplaceAll(text, "0a", "0A"), "B" + text[1:]} {
				if s, err := parse(broken); err == nil && broken != text {
					t.Errorf("%q is read as %v", broken, s)
				}
			}
			for cut := range text {
				if s, err := parse(text[:cut]); err == nil && s.String() != text[:cut] {
					t.Errorf("%q is read as %v", text[:cut], s)
				}
			}
		}
	})
	t.Run("a key that is merely unique stays so in every form that knows its kind", func(t *testing.T) {
		for _, login := range []bool{true, false} {
			k := kindOf(plugin.Key{Kind: plugin.KindEmail, Login: login})
			for _, s := range []state{
				{phase: wanted, kind: k, run: someRun, primary: someName, deadline: time.UnixMilli(1)},
				{phase: held, kind: k, run: someRun, id: someID},
				{phase: reserved, kind: k, id: someID, until: time.UnixMilli(1)},
			} {
				if read, err := parse(s.String()); err != nil || read.kind.login != login {
					t.Errorf("%v: %v, login %v", s, err, read.kind.login)
				}
			}
		}
	})
}

// FuzzState: whatever is read is written again, letter for letter: a compare-and-swap compares texts.
func FuzzState(f *testing.F) {
	for _, text := range states {
		f.Add(text)
	}
	f.Add("")
	f.Add("R email x -1")
	f.Add("P username " + someAttempt + " " + someRun + " " + someName + " +1")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text)
		if err != nil {
			return
		}
		if s.String() != text {
			t.Errorf("%q is written as %q", text, s)
		}
		if again, err := parse(s.as(held).String()); s.phase != free && s.phase != reserved && (err != nil || again.id != s.id) {
			if s.phase != wanted {
				t.Errorf("%q cannot become one that is held: %v", text, err)
			}
		}
	})
}
