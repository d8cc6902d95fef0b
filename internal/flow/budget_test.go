package flow_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// outcome is what a client sees of an answer, without what is random.
func outcome(r flow.Registration, err error) string {
	var p *flow.Problem
	if errors.As(err, &p) {
		return fmt.Sprintf("%s %s %d %s", p.Code, p.RetryAfter, p.AttemptsLeft, violations(err))
	}
	r.Token = flow.Token{}
	b, _ := json.Marshal(r)
	return string(b) + fmt.Sprint(err)
}

// from lets another client make the next requests.
func (w *world) from(client string) *world {
	w.client = client
	return w
}

func TestAnAddressGetsNoMoreMailsThanItsBudgetHas(t *testing.T) {
	w := newWorld(t, "", limited)
	var first string
	for n := range 40 {
		p := w.from(fmt.Sprintf("198.51.100.%d", n+1)).begin()
		spelling := []string{ada, "ADA@Example.org", "a.da@example.org", "ada+news@example.org", "A.D.A+x@EXAMPLE.ORG"}[n%5]
		r, err := w.Answer(w.ctx(), p.token, "about-you", answerOf(aboutYou(spelling)))
		p.must(err)
		r.Step.Target = strings.ToLower(r.Step.Target)
		if got := outcome(r, err); first == "" {
			first = got
		} else if got != first {
			t.Fatalf("request %d is answered with\n%s\nthe first one with\n%s", n+1, got, first)
		}
	}
	if n := len(w.mail.takeAll()); n != 3 {
		t.Errorf("%d mails were sent in an hour", n)
	}
	for range 30 { // of a day
		w.clock.advance(47 * time.Minute)
		w.from("203.0.113.1")
		p := w.begin()
		p.must(p.answer("about-you", aboutYou(ada)))
		w.clock.advance(time.Minute)
		p.must(p.resend())
		p.must(w.Abort(w.ctx(), p.token))
		w.must(p.w.sweep())
		if w.clock.Now().Hour() == 11 {
			break
		}
	}
	if n := len(w.mail.takeAll()); n != 2 {
		t.Errorf("%d more mails were sent on the first day", n)
	}
	w.clock.advance(time.Hour)
	w.from("203.0.113.9").begin().toCode(ada)
	if n := len(w.mail.takeAll()); n != 1 {
		t.Errorf("%d mails were sent on the next day", n)
	}
}

func (w *world) sweep() error {
	_, err := w.rows.Sweep(context.Background())
	return err
}

func TestAHundredRequestsAtOnceAreThreeMails(t *testing.T) {
	w := newWorld(t, "", limited)
	people := make([]*person, 100)
	for i := range people {
		people[i] = w.begin()
	}
	together(len(people), func(i int) {
		r, err := w.Answer(context.Background(), people[i].token, "about-you", answerOf(aboutYou(ada)))
		if err != nil || r.Step.Name != "verify-email" {
			t.Errorf("request %d: %v", i, err)
		}
	})
	if n := len(w.mail.takeAll()); n != 3 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestABudgetOutlivesARestart(t *testing.T) {
	w := newWorld(t, "", limited)
	for range 6 {
		w.begin().toCode(ada)
		w.restart("", limited)
	}
	if n := len(w.mail.takeAll()); n != 3 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestAFlowWithoutStealthTellsThatAnAddressHasHadEnough(t *testing.T) {
	w := newWorld(t, strings.Replace(open, "stealth: true", "stealth: false", 1), limited)
	for range 3 {
		w.begin().toCode(ada)
	}
	w.clock.advance(10 * time.Minute)
	p := w.begin()
	if problem := w.problem(p.answer("about-you", aboutYou(ada)), flow.CodeRateLimited); problem.RetryAfter != 50*time.Minute {
		t.Errorf("wait %s", problem.RetryAfter)
	}
	if step := p.show().Step; step.Name != "about-you" || step.Fields[0].Value != "" || len(w.mail.takeAll()) != 3 {
		t.Errorf("a refused answer has left %+v", step)
	}
}

func TestACodeStaysGoodWhenNoFurtherOneIsSent(t *testing.T) {
	w := newWorld(t, "", limited)
	p := w.begin().toCode(ada)
	for _, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		w.clock.advance(wait)
		p.must(p.resend())
	}
	letters := w.mail.letters(ada)
	if len(letters) != 3 {
		t.Fatalf("%d mails were sent", len(letters))
	}
	if at := p.show().Step.ResendAfter; !at.Equal(w.clock.Now().Add(8 * time.Minute)) {
		t.Errorf("the next one may be asked for at %s", at)
	}
	w.problem(p.code(letters[1].code), flow.CodeWrongCode)
	p.must(p.code(letters[2].code))
}

func TestAClientCausesNoMoreMailsThanItsBudgetsHave(t *testing.T) {
	for rule, c := range map[string]struct {
		client func(n int) string
		want   int
	}{
		"one IPv4 address":       {func(int) string { return "198.51.100.7" }, 10},
		"one IPv6 address":       {func(int) string { return "2001:db8:1:2::7" }, 10},
		"one network of 64 bits": {func(n int) string { return fmt.Sprintf("2001:db8:1:2::%x", n+1) }, 20},
		"one network of 48 bits": {func(n int) string { return fmt.Sprintf("2001:db8:1:%x::7", n+1) }, 100},
		"IPv4 written as IPv6":   {func(n int) string { return []string{"198.51.100.7", "::ffff:198.51.100.7"}[n%2] }, 10},
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, "", limitedBut(flow.LimitStarted, flow.LimitOpen))
			var refused *flow.Problem
			for n := range c.want + 10 {
				p := w.from(c.client(n)).begin()
				if err := p.answer("about-you", aboutYou(fmt.Sprintf("victim%d@example.org", n))); err != nil {
					refused = w.problem(err, flow.CodeRateLimited)
				}
			}
			if n := len(w.mail.takeAll()); n != c.want {
				t.Errorf("%d mails were sent, want %d", n, c.want)
			}
			if refused.RetryAfter != time.Hour {
				t.Errorf("wait %s", refused.RetryAfter)
			}
			w.clock.advance(time.Hour)
			w.begin().toCode("victim@example.org")
		})
	}
}

// budgetWalk uses up everything that an address has, and lists what the client and the database see of it.
func (w *world) budgetWalk(email string) (views []string, writes string) {
	note := func(r flow.Registration, err error) {
		views = append(views, strings.ReplaceAll(outcome(r, err), email, "ADDRESS"))
	}
	w.rows.taken()
	for range 6 {
		p := w.begin()
		note(p.last, p.answer("about-you", aboutYou(email)))
		for range 2 {
			note(p.last, p.code("00000000"))
		}
		w.clock.advance(time.Minute)
		note(p.last, p.resend())
		note(w.Show(w.ctx(), p.token))
	}
	w.clock.advance(-6 * time.Minute)
	return views, w.rows.taken()
}

func TestATakenAddressHasTheSameBudgetsAsAFreeOne(t *testing.T) {
	w := newWorld(t, "", limitedBut(flow.LimitStarted, flow.LimitOpen))
	w.from("198.51.100.7").begin().toPassword("taken@example.org").finish()
	w.clock.advance(25 * time.Hour) // the mail of its registration counts no more
	w.mail.takeAll()
	taken, takenWrites := w.from("198.51.100.8").budgetWalk("taken@example.org")
	free, freeWrites := w.from("198.51.100.9").budgetWalk("tfree@example.org")
	for n := range taken {
		if taken[n] != free[n] {
			t.Errorf("answer %d:\ntaken %s\nfree  %s", n, taken[n], free[n])
		}
	}
	if takenWrites != freeWrites {
		t.Errorf("the database sees:\ntaken %s\nfree  %s", takenWrites, freeWrites)
	}
	if notices, codes := len(w.mail.letters("taken@example.org")), len(w.mail.letters("tfree@example.org")); notices != codes || codes != 3 {
		t.Errorf("%d notices and %d codes were sent", notices, codes)
	}
	if !strings.Contains(strings.Join(free, "\n"), "rate_limited") {
		t.Error("the walk has used nothing up")
	}
}

func TestNobodySeesThatAnAddressHasJustBeenRegistered(t *testing.T) {
	w := newWorld(t, "", limited)
	w.from("198.51.100.7").begin().toPassword("taken@example.org").finish()
	taken, _ := w.from("").budgetWalk("taken@example.org")
	free, _ := w.from("").budgetWalk("tfree@example.org")
	for n := range taken {
		if taken[n] != free[n] {
			t.Errorf("answer %d:\ntaken %s\nfree  %s", n, taken[n], free[n])
		}
	}
}

func TestGuessesForAnAddressHaveOneBudgetOverAllFlows(t *testing.T) {
	w := newWorld(t, "", limitedBut(flow.LimitMessages))
	var last *person
	compared := map[flow.Code]int{}
	for range 30 {
		last = w.begin().toCode(ada)
		for range 4 {
			var p *flow.Problem
			if errors.As(last.code("00000000"), &p) {
				compared[p.Code]++
			}
		}
	}
	if compared[flow.CodeWrongCode] != 10 || compared[flow.CodeRateLimited] != 110 {
		t.Errorf("the answers in an hour are %v", compared)
	}
	right := w.mail.code(ada)
	if problem := w.problem(last.code(right), flow.CodeRateLimited); problem.RetryAfter != time.Hour {
		t.Errorf("wait %s", problem.RetryAfter)
	}
	if left := last.show().Step.AttemptsLeft; left != 5 {
		t.Errorf("guesses that were refused were counted: %d are left", left)
	}
	for range 2 { // until the day's budget is used up
		w.clock.advance(time.Hour)
		for range 4 {
			p := w.begin().toCode(ada)
			for range 4 {
				_ = p.code("00000000")
			}
		}
	}
	w.clock.advance(time.Hour)
	p := w.begin().toCode(ada)
	if problem := w.problem(p.code(w.mail.code(ada)), flow.CodeRateLimited); problem.RetryAfter != 21*time.Hour {
		t.Errorf("on the first day, wait %s", problem.RetryAfter)
	}
	w.clock.advance(21 * time.Hour)
	p = w.begin().toCode(ada)
	p.must(p.code(w.mail.code(ada)))
}

func TestTwoHundredGuessesAtOnceInFortyRegistrationsAreTenComparisons(t *testing.T) {
	w := newWorld(t, "", limitedBut(flow.LimitMessages))
	people := make([]*person, 40)
	for i := range people {
		people[i] = w.begin().toCode(ada)
	}
	results := make([]flow.Code, 200)
	together(200, func(i int) {
		_, err := w.Answer(context.Background(), people[i%40].token, "verify-email", answerOf(object{"code": "00000000"}))
		var p *flow.Problem
		if errors.As(err, &p) {
			results[i] = p.Code
		}
	})
	counts := map[flow.Code]int{}
	for _, code := range results {
		counts[code]++
	}
	if counts[flow.CodeWrongCode]+counts[flow.CodeTooManyAttempts] != 10 || counts[flow.CodeRateLimited] != 190 {
		t.Errorf("the answers are %v", counts)
	}
}

func TestOneCodeForManyAddressesHasABudgetPerClient(t *testing.T) {
	w := newWorld(t, "", limitedBut(flow.LimitStarted, flow.LimitOpen, flow.LimitMessagesClient))
	w.from("198.51.100.7")
	compared := 0
	for n := range 80 {
		p := w.begin().toCode(fmt.Sprintf("person%d@example.org", n))
		var problem *flow.Problem
		if errors.As(p.code("12345678"), &problem) && problem.Code == flow.CodeWrongCode {
			compared++
		}
	}
	if compared != 50 {
		t.Errorf("%d were compared", compared)
	}
}

func TestCodesAreLongEnoughForTheBudgets(t *testing.T) {
	definition, err := flow.ReadDefault()
	if err != nil {
		t.Fatal(err)
	}
	digits := 0
	for _, s := range definition.Flow("standard").Steps {
		if verify, ok := s.Settings.(*flow.VerifyEmailSettings); ok {
			digits = verify.Digits
		}
	}
	perDay := 0
	for _, rate := range flow.DefaultLimits()[flow.LimitGuesses] {
		if rate.Window == 24*time.Hour {
			perDay = rate.Count
		}
	}
	if hits := 10_000 * float64(perDay) / math.Pow10(digits); perDay == 0 || hits > 0.01 {
		t.Errorf("who uses up the budgets of 10,000 addresses is right %.4f times a day", hits)
	}
}

func TestAGuessThatCouldNotBeJudgedIsGivenBack(t *testing.T) {
	w := newWorld(t, "", limited)
	p := w.begin().toCode(ada)
	code := w.mail.code(ada)
	down := true
	w.restart("", limited, func(c *flow.Config) { c.Store.Persister = failing{c.Store.Persister, &down} })
	for range 30 {
		w.problem(p.code(code), flow.CodeUnavailable)
	}
	if left := p.show().Step.AttemptsLeft; left != 5 {
		t.Errorf("%d attempts are left", left)
	}
	w.problem(p.code(wrong(code)), flow.CodeWrongCode) // a wrong one is counted all the same
	down = false
	p.must(p.code(code))
}

// failing is a store that cannot be asked while it is down.
type failing struct {
	plugin.Persister
	down *bool
}

func (f failing) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	if *f.down {
		return plugin.Account{}, plugin.ErrUnavailable
	}
	return f.Persister.Lookup(ctx, k)
}

func TestAClientBeginsAndFinishesNoMoreThanItsBudgets(t *testing.T) {
	t.Run("ten are begun in three hours", func(t *testing.T) {
		w := newWorld(t, "", limitedBut(flow.LimitOpen))
		for range 10 {
			w.from("198.51.100.7").begin()
		}
		_, err := w.Start(w.ctx(), flow.StartRequest{})
		if problem := w.problem(err, flow.CodeRateLimited); problem.RetryAfter != 3*time.Hour {
			t.Errorf("wait %s", problem.RetryAfter)
		}
		w.from("198.51.100.8").begin()
		w.from("").begin()
	})
	t.Run("five are finished in three hours", func(t *testing.T) {
		w := newWorld(t, "", limitedBut(flow.LimitStarted, flow.LimitOpen))
		w.from("2001:db8::1")
		late := w.begin().toPassword("late@example.org")
		for n := range 5 {
			w.begin().toPassword(fmt.Sprintf("person%d@example.org", n)).finish()
		}
		_, err := w.Start(w.ctx(), flow.StartRequest{})
		w.problem(err, flow.CodeRateLimited)
		w.problem(late.answer("password", items(object{"password": goodPassword})), flow.CodeRateLimited)
		if n := len(w.store.accounts()); n != 5 || late.show().Step.Name != "password" {
			t.Errorf("%d accounts, and the sixth is at %+v", n, late.show().Step)
		}
		w.from("2001:db8:0:1::1") // where there is room
		late.finish()
	})
	t.Run("two hundred at once are five open ones", func(t *testing.T) {
		w := newWorld(t, "", limitedBut(flow.LimitStarted))
		w.from("198.51.100.7")
		begun := make([]flow.Registration, 200)
		together(200, func(i int) { begun[i], _ = w.Start(w.ctx(), flow.StartRequest{}) })
		var open []flow.Registration
		for _, r := range begun {
			if r.Step != nil {
				open = append(open, r)
			}
		}
		if len(open) != 5 {
			t.Fatalf("%d are open", len(open))
		}
		_, err := w.Start(w.ctx(), flow.StartRequest{})
		if problem := w.problem(err, flow.CodeRateLimited); problem.RetryAfter != 30*time.Minute {
			t.Errorf("wait %s", problem.RetryAfter)
		}
		w.must(w.Abort(w.ctx(), open[0].Token))
		w.begin().toPassword(ada).finish()
		w.begin() // what is finished is not open
	})
}

func TestAFloodOfADayLeavesLittleBehind(t *testing.T) {
	w := newWorld(t, "", limited)
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "state.db"))
	w.must(err)
	defer db.Close()
	count := func(table string) (n int) {
		w.must(db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	most := map[string]int{}
	for minute := range 24 * 60 {
		for n := range 2 {
			w.from([]string{"198.51.100.7", "2001:db8::7"}[n])
			if r, err := w.Start(w.ctx(), flow.StartRequest{}); err == nil {
				_, _ = w.Answer(w.ctx(), r.Token, "about-you", answerOf(aboutYou(fmt.Sprintf("victim%d@example.org", minute))))
			}
		}
		w.clock.advance(time.Minute)
		if minute%5 > 0 {
			continue
		}
		for _, table := range []string{"registrations", "budgets"} {
			most[table] = max(most[table], count(table))
		}
		w.must(w.sweep())
	}
	if most["registrations"] > 20 || most["budgets"] > 400 {
		t.Errorf("at most there were %v rows", most)
	}
	w.clock.advance(24 * time.Hour)
	w.must(w.sweep())
	if count("registrations")+count("budgets") != 0 {
		t.Error("something stays for ever")
	}
}

func TestTheDatabaseNamesNobodyInItsBudgets(t *testing.T) {
	w := newWorld(t, "", limited)
	w.from("198.51.100.7").begin().toCode("somebody.special@example.org")
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "state.db"))
	w.must(err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT key FROM budgets UNION SELECT CAST(client AS BLOB) FROM registrations")
	w.must(err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var key []byte
		w.must(rows.Scan(&key))
		n++
		for _, clear := range []string{"special", "example", "198.51", "messages"} {
			if strings.Contains(string(key), clear) {
				t.Errorf("a key shows %q", clear)
			}
		}
	}
	w.must(rows.Err())
	if n < 5 {
		t.Errorf("there are %d keys", n)
	}
}
