package flow_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/narthex/narthex/internal/flow"
)

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
