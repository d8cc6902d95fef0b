package flow_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

// seen is everything that a client sees of one walk, and what the database and the store see.
func (w *world) seen(email string) (views []string, writes string, lookups int) {
	w.Helper()
	note := func(r flow.Registration, err error) {
		var problem string
		if err != nil {
			problem = violations(err) + err.Error()
		}
		b, jsonErr := json.Marshal([]any{r.Flow, r.Title, r.Phase, r.ExpiresAt, r.Locale, r.Step, r.Username, r.ContinueWith})
		w.must(jsonErr)
		views = append(views, strings.ReplaceAll(string(b), email, "ADDRESS")+problem)
	}
	before, _ := w.store.counts()
	w.rows.taken()
	ctx := context.Background()
	p := w.begin()
	note(p.last, nil)
	note(p.last, p.answer("about-you", aboutYou(email)))
	note(p.last, p.code("00000000"))
	note(w.Show(ctx, p.token))
	note(p.last, p.resend())
	w.clock.advance(time.Minute)
	note(p.last, p.resend())
	note(p.last, p.change())
	w.clock.advance(2 * time.Minute)
	note(p.last, p.answer("about-you", aboutYou(email)))
	for range 4 {
		note(p.last, p.code("00000000"))
	}
	note(w.Show(ctx, p.token))
	note(p.last, p.code("00000000"))
	w.clock.advance(-3 * time.Minute)
	after, _ := w.store.counts()
	return views, w.rows.taken(), after - before
}

func TestATakenAddressLooksLikeAFreeOne(t *testing.T) {
	w := newWorld(t, "")
	w.begin().toPassword("taken@example.org").finish()
	w.mail.takeAll()
	taken, takenWrites, takenLookups := w.seen("taken@example.org")
	free, freeWrites, freeLookups := w.seen("tfree@example.org")
	for n := range taken {
		if taken[n] != free[n] {
			t.Errorf("answer %d:\ntaken %s\nfree  %s", n, taken[n], free[n])
		}
	}
	if takenWrites != freeWrites {
		t.Errorf("the database sees:\ntaken %s\nfree  %s", takenWrites, freeWrites)
	}
	if takenLookups+freeLookups != 0 {
		t.Errorf("the store was asked %d and %d times", takenLookups, freeLookups)
	}
	notices, codes := w.mail.letters("taken@example.org"), w.mail.letters("tfree@example.org")
	if len(notices) != len(codes) || len(codes) != 3 {
		t.Errorf("%d notices and %d codes were sent", len(notices), len(codes))
	}
	for _, l := range notices {
		if !l.notice || l.code != "" {
			t.Errorf("the owner got %+v", l)
		}
	}
}

func TestAnAddressThatIsTakenMeanwhileIsAWrongCode(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	code := w.mail.code(ada)
	w.begin().toPassword(ada).finish()
	for left := 4; left > 0; left-- {
		if problem := w.problem(p.code(code), flow.CodeWrongCode); problem.AttemptsLeft != left {
			t.Errorf("%d attempts are left", problem.AttemptsLeft)
		}
	}
	w.problem(p.code(code), flow.CodeTooManyAttempts)
	if len(w.store.accounts()) != 1 {
		t.Errorf("there are %d accounts", len(w.store.accounts()))
	}
}

func TestErrorsOfTheInputComeFirstAndAreTheSame(t *testing.T) {
	for rule, flows := range map[string]string{"with stealth": "", "without": strings.Replace(open, "stealth: true", "stealth: false", 1)} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, flows)
			w.begin().toPassword("taken@example.org").finish()
			var got [2]string
			for n, email := range []string{"taken@example.org", "tfree@example.org"} {
				p := w.begin()
				got[n] = violations(p.answer("about-you", items(object{"email": email, "given_name": "", "family_name": "L"})))
			}
			if got[0] != got[1] || got[0] != "given_name:required" {
				t.Errorf("taken %q, free %q", got[0], got[1])
			}
		})
	}
}

// open is the built-in flow, written out.
const open = `default: standard
items:
  email:       {type: email, alias: true, required: true, attribute: mail}
  given_name:  {type: string, max: 64, required: true, attribute: givenName}
  family_name: {type: string, max: 64, required: true, attribute: sn}
  password:    {type: password, required: true}
flows:
  standard:
    title: Join
    stealth: true
    steps:
      - data: {name: about-you, items: [email, given_name, family_name]}
      - username: {generate: "u{alnum:11}"}
      - verify-email: {item: email}
      - data: {name: password, items: [password]}
      - persist: {}
`

func TestWithoutStealthATakenAddressIsSaidAtOnce(t *testing.T) {
	w := newWorld(t, strings.Replace(open, "stealth: true", "stealth: false", 1))
	w.begin().toPassword(ada).finish()
	w.mail.takeAll()
	p := w.begin()
	err := p.answer("about-you", aboutYou("ADA@example.org"))
	w.problem(err, flow.CodeIdentifierTaken)
	if got := violations(err); got != "email:taken" {
		t.Errorf("got %s", got)
	}
	if len(w.mail.takeAll()) > 0 {
		t.Error("a mail was sent")
	}
	p.toPassword("other@example.org").finish()
}
