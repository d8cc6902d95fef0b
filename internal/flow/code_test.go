package flow_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

func (p *person) code(code string) error { return p.answer("verify-email", object{"code": code}) }

func (p *person) resend() error {
	r, err := p.w.Resend(p.w.ctx(), p.token, "verify-email")
	if err == nil {
		p.take(r)
	}
	return err
}

func (p *person) change() error {
	r, err := p.w.Change(p.w.ctx(), p.token, "verify-email")
	if err == nil {
		p.take(r)
	}
	return err
}

// wrong is a code that is not the given one.
func wrong(code string) string {
	if code == "00000000" {
		return "11111111"
	}
	return "00000000"
}

const ada = "ada@example.org"

func TestACodeDiesWithTheFifthWrongTry(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	code := w.mail.code(ada)
	for left := 4; left > 0; left-- {
		problem := w.problem(p.code(wrong(code)), flow.CodeWrongCode)
		if problem.AttemptsLeft != left || p.show().Step.AttemptsLeft != left {
			t.Errorf("%d and %d attempts are left, want %d", problem.AttemptsLeft, p.show().Step.AttemptsLeft, left)
		}
	}
	w.problem(p.code(wrong(code)), flow.CodeTooManyAttempts)
	w.problem(p.code(code), flow.CodeTooManyAttempts)
	mails := len(w.mail.letters(ada))
	w.clock.advance(time.Hour / 4)
	w.problem(p.resend(), flow.CodeTooManyAttempts)
	w.problem(p.change(), flow.CodeTooManyAttempts)
	if r := p.show(); r.Phase != flow.PhaseAborted || r.Step != nil {
		t.Errorf("the registration is %+v", r)
	}
	if len(w.mail.letters(ada)) != mails {
		t.Error("a code was sent after the last try")
	}
}

func TestEveryAnswerToAVerificationIsCountedBeforeItIsCompared(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	w.rows.taken()
	w.problem(p.answer("verify-email", object{"code": 12345678}), flow.CodeMalformed)
	w.problem(p.answer("verify-email", object{"code": "12345678", "extra": 1}), flow.CodeMalformed)
	w.problem(p.answer("verify-email", object{}), flow.CodeMalformed)
	if got := w.rows.taken(); got != "count count count" {
		t.Errorf("the database saw %s", got)
	}
	if left := p.show().Step.AttemptsLeft; left != 2 {
		t.Errorf("%d attempts are left", left)
	}
	w.rows.taken()
	w.rows.fail = func(write string) error {
		if write == "count" {
			return errors.New("the disk is full")
		}
		return nil
	}
	w.problem(p.code(w.mail.code(ada)), flow.CodeUnavailable)
	if got := w.rows.taken(); got != "count" {
		t.Errorf("an answer that was not counted went on: %s", got)
	}
}

func TestCodesAreReadAsPeopleTypeThem(t *testing.T) {
	w := newWorld(t, "")
	for rule, typed := range map[string]func(code string) string{
		"with a blank":         func(c string) string { return c[:4] + " " + c[4:] },
		"with a hyphen":        func(c string) string { return c[:4] + "-" + c[4:] },
		"with blanks around":   func(c string) string { return "  " + c + " " },
		"in full-width digits": func(c string) string { return strings.Map(func(r rune) rune { return r - '0' + '０' }, c) },
	} {
		t.Run(rule, func(t *testing.T) {
			p := w.begin().toCode(ada)
			p.must(p.code(typed(w.mail.code(ada))))
		})
	}
	for rule, typed := range map[string]func(code string) string{
		"Arabic digits":       func(c string) string { return strings.Map(func(r rune) rune { return r - '0' + '٠' }, c) },
		"too long":            func(c string) string { return c + "0" },
		"too short":           func(c string) string { return c[:7] },
		"nothing":             func(string) string { return "" },
		"longer than 64":      func(c string) string { return strings.Repeat(" ", 64) + c },
		"with a letter in it": func(c string) string { return c[:4] + "x" + c[4:] },
	} {
		t.Run(rule, func(t *testing.T) {
			p := w.begin().toCode(ada)
			problem := w.problem(p.code(typed(w.mail.code(ada))), flow.CodeWrongCode)
			if problem.AttemptsLeft != 4 {
				t.Errorf("%d attempts are left", problem.AttemptsLeft)
			}
		})
	}
}

func TestACodeIsGoodOnce(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.problem(p.code(w.mail.code(ada)), flow.CodeUnexpectedStep)
}

func TestACodeLivesTenMinutesByTheDatabasesClock(t *testing.T) {
	for rule, c := range map[string]struct {
		after time.Duration
		want  flow.Code
	}{
		"just before":         {10*time.Minute - time.Millisecond, ""},
		"after ten minutes":   {10 * time.Minute, flow.CodeWrongCode},
		"the clock goes back": {-2 * time.Minute, flow.CodeWrongCode},
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, "")
			p := w.begin().toCode(ada)
			w.clock.advance(c.after)
			w.restart("")
			err := p.code(w.mail.code(ada))
			if c.want == "" {
				p.must(err)
				return
			}
			w.problem(err, c.want)
		})
	}
}

func TestTheDatabaseShowsNobody(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode("ada.lovelace@example.org")
	code := w.mail.code("ada.lovelace@example.org")
	w.begin().toPassword("grace@example.org")
	files, err := filepath.Glob(filepath.Join(w.dir, "state.db*"))
	w.must(err)
	for _, f := range files {
		content, err := os.ReadFile(f)
		w.must(err)
		for _, clear := range []string{code, "lovelace", "Lovelace", "grace", p.token.Reveal(), p.token.Reveal()[:20], goodPassword} {
			if bytes.Contains(content, []byte(clear)) {
				t.Errorf("%s has %q in clear", filepath.Base(f), clear)
			}
		}
	}
	if len(files) == 0 {
		t.Error("there is no database")
	}
}
