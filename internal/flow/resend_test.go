package flow_test

import (
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

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
