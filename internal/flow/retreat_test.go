package flow_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

func TestATakenAddressLeadsBackToItsStep(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.begin().toPassword(ada).finish()
	err := p.password()
	w.problem(err, flow.CodeIdentifierTaken)
	if got := violations(err); got != "email:taken" {
		t.Errorf("got %s", got)
	}
	step := p.show().Step
	if step.Name != "about-you" || step.Fields[0].Value != ada {
		t.Fatalf("the step is %+v", step)
	}
	// Everything else is kept: only the other mailbox is to be proved.
	p.toCode("other@example.org")
	p.must(p.code(w.mail.code("other@example.org")))
	if p.last.Phase != flow.PhaseCompleted || len(w.store.accounts()) != 2 {
		t.Errorf("the registration is %+v", p.last)
	}
}

func TestProofsOfWhatDoesNotChangeAreKept(t *testing.T) {
	w := newWorld(t, sound)
	other := w.begin()
	other.must(other.answer("about", items(object{"email": "x@example.org", "nick": "Ace"})))
	other.must(other.code(w.mail.code("x@example.org")))
	other.must(other.answer("secret", items(object{"password": goodPassword, "again": goodPassword})))

	p := w.begin()
	p.must(p.answer("about", items(object{"email": ada, "nick": "ACE"})))
	p.must(p.code(w.mail.code(ada)))
	err := p.answer("secret", items(object{"password": goodPassword, "again": goodPassword}))
	w.problem(err, flow.CodeIdentifierTaken)
	if got := violations(err); got != "nick:taken" {
		t.Errorf("got %s", got)
	}
	mails := len(w.mail.letters(ada))
	p.must(p.answer("about", items(object{"email": ada, "nick": "Ace of spades"})))
	if p.last.Phase != flow.PhaseCompleted || len(w.mail.letters(ada)) != mails {
		t.Errorf("the address was to be proved again: %+v", p.last.Step)
	}
}

func TestARefusedPasswordLeadsBackToItsStep(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.store.before = fails(1, plugin.Refused(plugin.PasswordField, plugin.CodePolicy))
	err := p.password()
	w.problem(err, flow.CodeInvalidInput)
	if got := violations(err); got != "password:policy" || p.show().Step.Name != "password" {
		t.Errorf("got %s at %s", got, p.show().Step.Name)
	}
	p.must(p.answer("password", items(object{"password": "an even longer password than before"})))
	if got := w.store.accounts()[0].password.Reveal(); got != "an even longer password than before" {
		t.Error("the account has the password that was refused")
	}
}

func TestATakenUsernameIsDrawnAgain(t *testing.T) {
	for taken, want := range map[int]flow.Code{1: "", 3: "", 4: flow.CodeUnavailable} {
		t.Run(fmt.Sprintf("%d times", taken), func(t *testing.T) {
			w := newWorld(t, "")
			p := w.begin().toPassword(ada)
			tried := map[string]plugin.Attempt{}
			refuse := fails(taken, plugin.Taken("uid"))
			w.store.before = func(a plugin.NewAccount) error {
				tried[a.Username()] = a.Attempt
				return refuse(a)
			}
			err := p.password()
			if want == "" {
				p.must(err)
			} else {
				w.problem(err, want)
				if s := p.show().Step; s.Name != "persist" {
					t.Fatalf("the step is %+v", s)
				}
				p.must(p.persist())
			}
			if len(tried) != taken+1 {
				t.Errorf("%d names were tried", len(tried))
			}
			if p.last.Phase != flow.PhaseCompleted || len(w.store.accounts()) != 1 {
				t.Errorf("the registration is %+v", p.last)
			}
		})
	}
}

func TestATakenChosenUsernameLeadsBackAlsoInAStealthFlow(t *testing.T) {
	w := newWorld(t, strings.Replace(sound, "username: {generate: uuid}", "username: {}", 1))
	walk := func(email, name string) (*person, error) {
		p := w.begin()
		p.must(p.answer("about", about(email)))
		p.must(p.answer("username", items(object{"username": name})))
		p.must(p.code(w.mail.code(email)))
		return p, p.answer("secret", items(object{"password": goodPassword, "again": goodPassword}))
	}
	p, err := walk("a@example.org", "ada")
	p.must(err)
	p, err = walk("b@example.org", "ADA")
	w.problem(err, flow.CodeIdentifierTaken)
	if got := violations(err); got != "username:taken" || p.show().Step.Fields[0].Value != "ada" {
		t.Errorf("got %s, prefilled %q", got, p.show().Step.Fields[0].Value)
	}
	p.must(p.answer("username", items(object{"username": "ada2"})))
	if p.last.Phase != flow.PhaseCompleted {
		t.Errorf("the registration is %+v", p.last)
	}
}

func TestAStoreThatRefusesWhatNobodyEnteredIsAFaultOfOurs(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.store.before = fails(1, plugin.Refused("cn", plugin.CodeUnknown))
	err := p.password()
	var problem *flow.Problem
	if err == nil || errors.As(err, &problem) {
		t.Fatalf("got %v", err)
	}
	p.must(p.persist()) // mended, the registration goes on
}
