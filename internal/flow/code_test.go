package flow_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

func (p *person) code(code string) error { return p.answer("verify-email", object{"code": code}) }

func (p *person) resend() error {
	r, err := p.w.Resend(context.Background(), p.token, "verify-email")
	if err == nil {
		p.take(r)
	}
	return err
}

func (p *person) change() error {
	r, err := p.w.Change(context.Background(), p.token, "verify-email")
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
	if got := w.rows.taken(); got != "load count load count load count" {
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
	if got := w.rows.taken(); got != "load count" {
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

func TestTwoHundredGuessesAtOnceAreFiveComparisons(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	code := w.mail.code(ada)
	var mu sync.Mutex
	compared := 0
	together(200, func(int) {
		_, err := w.Answer(context.Background(), p.token, "verify-email", answerOf(object{"code": wrong(code)}))
		var problem *flow.Problem
		if errors.As(err, &problem) && problem.Code == flow.CodeWrongCode {
			mu.Lock()
			compared++
			mu.Unlock()
		}
	})
	if compared != 4 { // the fifth says that it was the last
		t.Errorf("%d wrong codes were told so with tries left", compared)
	}
	w.problem(p.code(code), flow.CodeTooManyAttempts)
}

// together runs f n times, all released at once.
func together(n int, f func(i int)) {
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Add(1)
		go func() {
			defer done.Done()
			start.Wait()
			f(i)
		}()
	}
	start.Done()
	done.Wait()
}

func TestOfTwoRightCodesAtOnceOneWins(t *testing.T) {
	w := newWorld(t, "")
	for range 50 {
		p := w.begin().toCode(ada)
		code := w.mail.code(ada)
		var mu sync.Mutex
		won := 0
		together(2, func(int) {
			if _, err := w.Answer(context.Background(), p.token, "verify-email", answerOf(object{"code": code})); err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
		if won != 1 {
			t.Fatalf("%d won", won)
		}
	}
}

func TestACodeIsGoodOnce(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.problem(p.code(w.mail.code(ada)), flow.CodeUnexpectedStep)
}

func TestResend(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	first := w.mail.code(ada)
	w.problem(p.code(wrong(first)), flow.CodeWrongCode)
	problem := w.problem(p.resend(), flow.CodeRateLimited)
	if problem.RetryAfter != time.Minute {
		t.Errorf("wait %s", problem.RetryAfter)
	}
	waits := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute}
	for n, wait := range waits {
		if at := p.show().Step.ResendAfter; !at.Equal(w.clock.Now().Add(wait)) {
			t.Errorf("message %d may be asked for at %s, want in %s", n+2, at, wait)
		}
		w.clock.advance(wait - time.Second)
		w.problem(p.resend(), flow.CodeRateLimited)
		w.clock.advance(time.Second)
		p.must(p.resend())
	}
	if n := len(w.mail.letters(ada)); n != 5 {
		t.Errorf("%d messages were sent", n)
	}
	w.clock.advance(29 * time.Minute)
	w.problem(p.resend(), flow.CodeRateLimited)
	if s := p.show().Step; !s.ResendAfter.IsZero() || s.CanChange || s.AttemptsLeft != 4 {
		t.Errorf("the step is %+v", s)
	}
}

func TestANewCodeReplacesTheOldOneAndTriesGoOnBeingCounted(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	first := w.mail.code(ada)
	w.problem(p.code(wrong(first)), flow.CodeWrongCode)
	w.clock.advance(time.Minute)
	p.must(p.resend())
	second := w.mail.code(ada)
	if first == second {
		t.Fatal("the same code was drawn twice") // by chance once in a hundred million
	}
	if left := w.problem(p.code(first), flow.CodeWrongCode).AttemptsLeft; left != 3 {
		t.Errorf("%d attempts are left", left)
	}
	p.must(p.code(second))
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

func TestChange(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode("ada@exmaple.org")
	old := w.mail.code("ada@exmaple.org")
	w.problem(p.code(wrong(old)), flow.CodeWrongCode)
	p.must(p.change())
	step := p.last.Step
	if step.Name != "about-you" || step.Fields[0].Value != "ada@exmaple.org" || step.Fields[1].Value != "Ada" {
		t.Fatalf("the step is %+v", step)
	}
	w.problem(p.code(old), flow.CodeUnexpectedStep)
	p.toCode(ada)
	w.problem(p.code(old), flow.CodeWrongCode)
	if left := p.show().Step.AttemptsLeft; left != 3 {
		t.Errorf("%d attempts are left: the way back gives no further guesses", left)
	}
	p.must(p.code(w.mail.code(ada)))
}

func TestChangeGivesNoFurtherMessages(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	p.must(p.change())
	problem := w.problem(p.answer("about-you", aboutYou(ada)), flow.CodeRateLimited)
	if problem.RetryAfter != time.Minute {
		t.Errorf("the same mailbox can be written to after %s", problem.RetryAfter)
	}
	// Another spelling of the same mailbox has to wait as well.
	w.problem(p.answer("about-you", aboutYou("A.da+1@example.org")), flow.CodeRateLimited)
	for _, name := range []string{"b", "c", "d", "e"} {
		p.toCode(name + "@example.org")
		if name != "e" {
			p.must(p.change())
		}
	}
	w.problem(p.change(), flow.CodeRateLimited)
	if n := len(w.mail.received); n != 5 {
		t.Errorf("%d messages were sent", n)
	}
}

// TestACodeForOneAddressNeverProvesAnother lets an answer with the right code race with a change of the address.
func TestACodeForOneAddressNeverProvesAnother(t *testing.T) {
	w := newWorld(t, "")
	for range 1000 {
		p := w.begin().toCode("x@example.org")
		code := w.mail.code("x@example.org")
		token := p.token
		answer, ctx := answerOf(object{"code": code}), context.Background()
		var proved flow.Registration
		together(2, func(i int) {
			if i == 0 {
				if r, err := w.Answer(ctx, token, "verify-email", answer); err == nil {
					proved = r
				}
				return
			}
			if _, err := w.Change(ctx, token, "verify-email"); err == nil {
				_, _ = w.Answer(ctx, token, "about-you", answerOf(aboutYou("y@example.org")))
				_, _ = w.Answer(ctx, token, "verify-email", answer)
			}
		})
		if proved.Step == nil {
			if s := p.show().Step; s.Name != "verify-email" || s.Target != "y…@example.org" && s.Target != "…@example.org" {
				t.Fatalf("after a change the step is %+v", s)
			}
			continue
		}
		p.take(proved)
		p.finish()
		for _, k := range w.store.accounts()[0].made.Keys {
			if strings.Contains(k.Value, "@") && k.Value != "x@example.org" {
				t.Fatalf("the code of x proved %s", k.Value)
			}
		}
		w.store.forget()
	}
}

// TestParallelAnswersWithTwoAddresses sends two addresses to one registration at once: the code that goes to one of them
// proves no other.
func TestParallelAnswersWithTwoAddresses(t *testing.T) {
	w := newWorld(t, "")
	ctx := context.Background()
	for range 1000 {
		p := w.begin()
		together(2, func(i int) {
			_, _ = w.Answer(ctx, p.token, "about-you", answerOf(aboutYou([]string{"x@example.org", "y@example.org"}[i])))
		})
		letters := w.mail.takeAll()
		if len(letters) != 1 {
			t.Fatalf("%d codes were sent", len(letters))
		}
		p.must(p.code(letters[0].code))
		p.finish()
		for _, k := range w.store.accounts()[0].made.Keys {
			if strings.Contains(k.Value, "@") && k.Value != letters[0].to {
				t.Fatalf("the code of %s proved %s", letters[0].to, k.Value)
			}
		}
		w.store.forget()
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
