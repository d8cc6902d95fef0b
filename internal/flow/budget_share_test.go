package flow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

// spellings are those of one mailbox each.
var spellings = map[string][]string{
	"case, dots and tags": {ada, "ADA@Example.org", "a.da@example.org", "ada+news@example.org", "A.D.A+x@EXAMPLE.ORG"},
	"a name in Unicode, decomposed, in punycode": {"ada@b\u00fccher.example", "ada@bu\u0308cher.example", "ada@xn--bcher-kva.example",
		"ada@B\u00dcCHER.example", "ada@BU\u0308CHER.EXAMPLE", "Ada@XN--BCHER-KVA.Example", "a.d.a+x@b\u00fccher.example"},
}

func TestAllSpellingsOfAnAddressShareItsMessages(t *testing.T) {
	for rule, all := range spellings {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, "", limited)
			for range 2 {
				for _, spelling := range all {
					w.begin().toCode(spelling)
				}
			}
			if n := len(w.mail.takeAll()); n != 3 {
				t.Errorf("%d mails were sent in an hour", n)
			}
		})
	}
}

func TestAllSpellingsOfAnAddressShareItsGuesses(t *testing.T) {
	for rule, all := range spellings {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, "", limitedBut(flow.LimitMessages))
			compared := map[flow.Code]int{}
			for n := range 3 * len(all) {
				var p *flow.Problem
				if errors.As(w.begin().toCode(all[n%len(all)]).code("00000000"), &p) {
					compared[p.Code]++
				}
			}
			if compared[flow.CodeWrongCode] != 10 || compared[flow.CodeRateLimited] != 3*len(all)-10 {
				t.Errorf("the answers in an hour are %v", compared)
			}
		})
	}
}

// severalFlows has a second flow with steps and items of other names, and a third one that hides nothing.
var severalFlows = strings.Replace(open, "flows:\n", "  contact:     {type: email, alias: true, required: true, attribute: otherMail}\nflows:\n", 1) + `  staff:
    title: Join us
    stealth: true
    steps:
      - data: {name: reach-you, items: [contact, given_name, family_name]}
      - username: {generate: "s{alnum:9}"}
      - verify-email: {name: prove, item: contact}
      - data: {name: secret, items: [password]}
      - persist: {}
  told:
    title: Join openly
    stealth: false
    steps:
      - data: {name: about-you, items: [email, given_name, family_name]}
      - username: {generate: "t{alnum:9}"}
      - verify-email: {item: email}
      - data: {name: password, items: [password]}
      - persist: {}
`

// staffToCode walks to the verification of the second flow.
func (w *world) staffToCode(email string) *person {
	w.Helper()
	p := w.begin("staff")
	return p.must(p.answer("reach-you", items(object{"contact": email, "given_name": "Ada", "family_name": "Lovelace"})))
}

func TestAnAddressHasOneBudgetOfMessagesForAllFlows(t *testing.T) {
	w := newWorld(t, severalFlows, limited)
	var staff *person
	for range 4 {
		w.begin("standard").toCode(ada)
		staff = w.staffToCode(ada)
	}
	w.clock.advance(time.Minute)
	_, err := w.Resend(w.ctx(), staff.token, "prove")
	w.must(err)
	if n := len(w.mail.takeAll()); n != 3 {
		t.Errorf("%d mails were sent in an hour", n)
	}
	p := w.begin("told")
	if problem := w.problem(p.answer("about-you", aboutYou(ada)), flow.CodeRateLimited); problem.RetryAfter != 59*time.Minute {
		t.Errorf("wait %s", problem.RetryAfter)
	}
	w.clock.advance(59 * time.Minute) // two are left of the day's
	w.begin("told").toCode(ada)
	for range 2 {
		w.staffToCode(ada)
	}
	if n := len(w.mail.takeAll()); n != 2 {
		t.Errorf("%d more mails were sent on the first day", n)
	}
	w.staffToCode("other@example.org")
	if n := len(w.mail.takeAll()); n != 1 {
		t.Error("another address has no budget of its own")
	}
}

func TestAnAddressHasOneBudgetOfGuessesForAllFlows(t *testing.T) {
	w := newWorld(t, severalFlows, limitedBut(flow.LimitMessages))
	compared := map[flow.Code]int{}
	note := func(err error) {
		var p *flow.Problem
		if errors.As(err, &p) {
			compared[p.Code]++
		}
	}
	for range 9 {
		note(w.begin("standard").toCode(ada).code("00000000"))
		note(w.staffToCode(ada).answer("prove", object{"code": "00000000"}))
		note(w.begin("told").toCode(ada).code("00000000"))
	}
	if compared[flow.CodeWrongCode] != 10 || compared[flow.CodeRateLimited] != 17 {
		t.Errorf("the answers in an hour are %v", compared)
	}
	p := w.staffToCode(ada)
	w.problem(p.answer("prove", object{"code": w.mail.code(ada)}), flow.CodeRateLimited)
	p = w.staffToCode("other@example.org")
	p.must(p.answer("prove", object{"code": w.mail.code("other@example.org")}))
}
