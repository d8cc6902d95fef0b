package flow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

func TestNoStepCanBeSkipped(t *testing.T) {
	w := newWorld(t, "")
	answers := map[string]object{
		"username": items(object{"username": "ada"}), "verify-email": {"code": "00000000"},
		"password": items(object{"password": goodPassword}), "persist": {}, "nonsense": {},
	}
	stages := []struct {
		at   string
		goTo func(p *person)
	}{
		{"about-you", func(*person) {}},
		{"verify-email", func(p *person) { p.toCode("ada@example.org") }},
		{"password", func(p *person) { p.toPassword("eve@example.org") }},
	}
	for _, s := range stages {
		p := w.begin()
		s.goTo(p)
		for step, answer := range answers {
			if step == s.at {
				continue
			}
			t.Run(fmt.Sprintf("%s instead of %s", step, s.at), func(t *testing.T) {
				w.rows.taken()
				mails := len(w.mail.received)
				w.problem(p.answer(step, answer), flow.CodeUnexpectedStep)
				_, err := w.Resend(context.Background(), p.token, step)
				w.problem(err, flow.CodeUnexpectedStep)
				_, err = w.Change(context.Background(), p.token, step)
				w.problem(err, flow.CodeUnexpectedStep)
				want := "load load load"
				if step == "verify-email" {
					want = "count load load" // what would be counted finds no row at that step
				}
				if wrote := w.rows.taken(); wrote != want {
					t.Errorf("the database saw %s", wrote)
				}
				if len(w.mail.received) != mails || len(w.store.accounts()) > 0 {
					t.Error("something was mailed or made")
				}
			})
		}
	}
}

func TestStepsThatDoNotVerifyCannotBeResentOrChanged(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	_, err := w.Resend(context.Background(), p.token, "about-you")
	w.problem(err, flow.CodeUnexpectedStep)
	_, err = w.Change(context.Background(), p.token, "about-you")
	w.problem(err, flow.CodeUnexpectedStep)
}

// twoFlows has the same steps in two flows.
var twoFlows = sound + strings.Replace(sound[strings.Index(sound, "  standard:"):], "standard", "second", 1)

func about(email string) object { return items(object{"email": email}) }

func TestAProofIsGoodForOneRegistrationOnly(t *testing.T) {
	w := newWorld(t, twoFlows)
	for _, other := range []string{"standard", "second"} {
		t.Run("another one in the flow "+other, func(t *testing.T) {
			email := "ada@" + other + ".example"
			first, second := w.begin("standard"), w.begin(other)
			first.must(first.answer("about", about(email)))
			code := w.mail.code(email)
			second.must(second.answer("about", about(email)))
			w.problem(second.answer("verify-email", object{"code": code}), flow.CodeWrongCode)
			first.must(first.answer("verify-email", object{"code": code}))
		})
	}
}

func TestACodeOfOneVerificationIsWrongAtAnother(t *testing.T) {
	two := strings.NewReplacer(
		"  password:", "  second: {type: email, alias: true, required: true, attribute: mailAlternateAddress}\n  password:",
		"[email, nick]", "[email, nick, second]",
		"      - verify-email: {item: email}\n", "      - verify-email: {item: email}\n      - verify-email: {name: verify-second, item: second}\n",
	).Replace(sound)
	w := newWorld(t, two)
	p := w.begin()
	p.must(p.answer("about", items(object{"email": "a@example.org", "second": "b@example.org"})))
	code := w.mail.code("a@example.org")
	p.must(p.answer("verify-email", object{"code": code}))
	w.problem(p.answer("verify-second", object{"code": code}), flow.CodeWrongCode)
	p.must(p.answer("verify-second", object{"code": w.mail.code("b@example.org")}))
	p.must(p.answer("secret", items(object{"password": goodPassword, "again": goodPassword})))
	if keys := w.store.accounts()[0].made.Keys; len(keys) != 3 {
		t.Errorf("the keys are %v", keys)
	}
}

func TestARegistrationCanOnlyCreate(t *testing.T) {
	w := newWorld(t, "")
	w.begin().toPassword("ada@example.org").finish()
	before := *w.store.accounts()[0]
	p := w.begin()
	err := p.answer("about-you", items(object{"email": "bob@example.org", "given_name": "B", "family_name": "B",
		"id": before.account.ID, "username": before.account.Username, "memberOf": "admins", "verified": true}))
	w.problem(err, flow.CodeInvalidInput)
	p.toPassword("bob@example.org").finish()
	for _, a := range w.store.accounts() {
		if len(a.made.Attributes) != 2 {
			t.Errorf("the account has %v", a.made.Attributes)
		}
	}
	if after := w.store.byTry[before.made.Attempt]; !after.password.Equal(before.password) {
		t.Error("the existing account has changed")
	}
}

func TestClosedFlowsRefuseEveryRoute(t *testing.T) {
	w := newWorld(t, twoFlows)
	p := w.begin("standard")
	p.must(p.answer("about", about("ada@example.org")))
	check := func(t *testing.T, p *person) {
		t.Helper()
		ctx := context.Background()
		for route, call := range map[string]func() error{
			"start":  func() error { _, err := w.Start(ctx, flow.StartRequest{Flow: "standard"}); return err },
			"show":   func() error { _, err := w.Show(ctx, p.token); return err },
			"answer": func() error { return p.answer("verify-email", object{"code": "1"}) },
			"resend": func() error { _, err := w.Resend(ctx, p.token, "verify-email"); return err },
			"change": func() error { _, err := w.Change(ctx, p.token, "verify-email"); return err },
			"abort":  func() error { return w.Abort(ctx, p.token) },
		} {
			var problem *flow.Problem
			if err := call(); !errors.As(err, &problem) || problem.Code != flow.CodeDisabled {
				t.Errorf("%s: %v", route, err)
			}
		}
	}
	t.Run("a closed flow", func(t *testing.T) {
		closed := strings.Replace(twoFlows, "title: Join", "title: Join\n    open: false", 1)
		w.restart(strings.Replace(closed, "default: standard", "default: second", 1))
		check(t, p)
		if list := w.Flows("en"); len(list.Flows) != 1 || list.Flows[0].Name != "second" || list.Default != "second" {
			t.Errorf("offered: %+v", list)
		}
		w.begin("second")
	})
	t.Run("no registration at all", func(t *testing.T) {
		w.restart(twoFlows, func(c *flow.Config) { c.Enabled = false })
		check(t, p)
		if list := w.Flows("en"); list.Enabled || len(list.Flows) > 0 {
			t.Errorf("offered: %+v", list)
		}
	})
}

func TestUnknownTokensAreGone(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	right, other := p.token.Reveal(), w.begin().token.Reveal()
	swapped := "A"
	if right[0] == 'A' {
		swapped = "B"
	}
	for rule, text := range map[string]string{
		"none": "", "cut off": right[:42], "longer": right + "A", "another case": strings.ToLower(right), "padded": right + "=",
		"with a line break": right[:20] + "\n" + right[20:], "one character changed": swapped + right[1:],
		"with the opening half of another one": right[:21] + other[21:],
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := w.Show(context.Background(), plugin.NewSecret(text))
			w.problem(err, flow.CodeRegistrationGone)
		})
	}
	p.show()
}

func TestAPlantedTokenEndsWithTheProof(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	planted := p.token
	p.toPassword("victim@example.org")
	_, err := w.Answer(context.Background(), planted, "password", answerOf(items(object{"password": goodPassword})))
	w.problem(err, flow.CodeRegistrationGone)
	p.finish()
	_, err = w.Show(context.Background(), planted)
	w.problem(err, flow.CodeRegistrationGone)
}

func TestAStepThatFailsStopsTheTrip(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode("ada@example.org")
	backend, err := plugin.Of(context.Background(), failingLookup{w.store})
	w.must(err)
	w.restart("", func(c *flow.Config) { c.Store = backend })
	w.problem(p.answer("verify-email", object{"code": w.mail.code("ada@example.org")}), flow.CodeUnavailable)
	if p.show().Step.Name != "verify-email" {
		t.Error("the verification was skipped because its guard failed")
	}
}

type failingLookup struct{ *memoryStore }

func (failingLookup) Lookup(context.Context, plugin.Key) (plugin.Account, error) {
	return plugin.Account{}, plugin.ErrUnavailable
}

func TestAbortLeavesNothing(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode("ada@example.org")
	p.must(w.Abort(context.Background(), p.token))
	_, err := w.Show(context.Background(), p.token)
	w.problem(err, flow.CodeRegistrationGone)
	w.problem(w.Abort(context.Background(), p.token), flow.CodeRegistrationGone)
}

func TestRegistrationsExpire(t *testing.T) {
	w := newWorld(t, "")
	idle := w.begin()
	w.clock.advance(31 * time.Minute)
	_, err := w.Show(context.Background(), idle.token)
	w.problem(err, flow.CodeRegistrationGone)

	busy := w.begin()
	for range 4 {
		busy.toCode("ada@example.org")
		w.clock.advance(29 * time.Minute)
		r, err := w.Change(context.Background(), busy.token, "verify-email")
		busy.must(err).take(r)
	}
	w.clock.advance(5 * time.Minute)
	_, err = w.Show(context.Background(), busy.token)
	w.problem(err, flow.CodeRegistrationGone)
}

func TestStart(t *testing.T) {
	w := newWorld(t, "")
	start := func(r flow.StartRequest) error { _, err := w.Start(context.Background(), r); return err }
	w.problem(start(flow.StartRequest{Flow: "none"}), flow.CodeUnknownFlow)
	for _, to := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/a\nb", "/\t/evil.example", "evil", "/" + strings.Repeat("a", 1024)} {
		w.problem(start(flow.StartRequest{ReturnTo: to}), flow.CodeInvalidInput)
	}
	for _, locale := range []string{"", "tlh", "de;q=x", strings.Repeat("a-", 5000), "en-GB"} {
		r, err := w.Start(context.Background(), flow.StartRequest{Locale: locale, ReturnTo: "/mail?a=b#c"})
		w.must(err)
		if r.Locale != "en" {
			t.Errorf("%.10q gives %s", locale, r.Locale)
		}
	}
}

func TestAFinishedRegistrationTellsWhereToGoOn(t *testing.T) {
	w := newWorld(t, "")
	r, err := w.Start(context.Background(), flow.StartRequest{ReturnTo: "/app"})
	w.must(err)
	p := &person{w: w}
	p.take(r)
	p.toPassword("ada@example.org").finish()
	want := []flow.Continuation{{Action: "redirect", URL: "/app"}, {Action: "login", URL: "/login"}}
	if got := p.show().ContinueWith; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v", got)
	}
	w.clock.advance(11 * time.Minute)
	_, err = w.Show(context.Background(), p.token)
	w.problem(err, flow.CodeRegistrationGone)
}
