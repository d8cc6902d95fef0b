package flow_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// lastRun is how long the last execution of an attempt may live.
const lastRun = plugin.CreateLifetime + plugin.ClockSlack

func (p *person) password() error {
	return p.answer("password", items(object{"password": goodPassword}))
}

func (p *person) persist() error { return p.answer("persist", object{}) }

// fails makes the next n executions of Create fail.
func fails(n int, err error) func(plugin.NewAccount) error {
	return func(plugin.NewAccount) error {
		if n--; n >= 0 {
			return err
		}
		return nil
	}
}

func TestTheIntentIsCommittedBeforeTheStoreIsAsked(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.rows.taken()
	w.store.before = func(a plugin.NewAccount) error {
		_ = w.rows.note("create")
		if !a.NotAfter.Equal(w.clock.Now().Add(plugin.CreateLifetime)) {
			t.Errorf("the execution may commit until %s", a.NotAfter)
		}
		return nil
	}
	p.finish()
	if got, want := w.rows.taken(), "load commit(persisting,0) create commit(completed,0)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAStoreThatIsAwayCostsNothing(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.store.before = fails(2, plugin.ErrUnavailable)
	problem := w.problem(p.password(), flow.CodeUnavailable)
	if problem.RetryAfter <= 0 {
		t.Error("no time to wait is told")
	}
	if s := p.show().Step; s.Name != "persist" || s.Kind != "persist" || len(s.Fields) > 0 {
		t.Errorf("the step is %+v", s)
	}
	w.problem(p.persist(), flow.CodeUnavailable)
	p.must(p.persist())
	if len(w.store.accounts()) != 1 || p.last.Phase != flow.PhaseCompleted {
		t.Errorf("there are %d accounts, and the registration is %s", len(w.store.accounts()), p.last.Phase)
	}
}

func TestAnUnknownOutcomeIsWaitedForAndThenTheSameAttemptGoesOn(t *testing.T) {
	for rule, outcome := range map[string]error{
		"unknown": plugin.ErrUnknownOutcome, "no answer in time": context.DeadlineExceeded, "a fault of the store": errors.New("oops"),
	} {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, committed: %v", rule, committed), func(t *testing.T) {
				w := newWorld(t, "")
				p := w.begin().toPassword(ada)
				var attempts []plugin.Attempt
				fail := fails(1, outcome)
				hook := func(a plugin.NewAccount) error {
					attempts = append(attempts, a.Attempt)
					return fail(a)
				}
				if w.store.before = hook; committed {
					w.store.before, w.store.after = nil, hook
				}
				w.problem(p.password(), flow.CodeUnavailable)
				wait := w.problem(p.persist(), flow.CodeUnavailable).RetryAfter
				if wait != lastRun {
					t.Errorf("the client is told to wait %s, want %s", wait, lastRun)
				}
				w.problem(p.answer("password", items(object{"password": "another password than before"})), flow.CodeUnexpectedStep)
				w.clock.advance(lastRun - time.Second)
				w.problem(p.persist(), flow.CodeUnavailable)
				if _, creates := w.store.counts(); creates != 1 {
					t.Fatalf("%d executions were started", creates)
				}
				w.clock.advance(time.Second)
				p.must(p.persist())
				for _, a := range attempts {
					if a != attempts[0] {
						t.Error("the attempt has changed")
					}
				}
				if all := w.store.accounts(); len(all) != 1 || all[0].password.Reveal() != goodPassword {
					t.Errorf("there are %d accounts", len(all))
				}
			})
		}
	}
}

func TestWhilePersistingEverythingElseIsRefused(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.store.before = fails(1, plugin.ErrUnknownOutcome)
	w.problem(p.password(), flow.CodeUnavailable)
	ctx := context.Background()
	w.problem(p.answer("persist", object{"x": 1}), flow.CodeMalformed)
	w.problem(p.code("12345678"), flow.CodeUnexpectedStep)
	w.problem(p.change(), flow.CodeUnexpectedStep)
	w.problem(p.resend(), flow.CodeUnexpectedStep)
	_, err := w.Resend(ctx, p.token, "persist")
	w.problem(err, flow.CodeUnexpectedStep)
	w.problem(w.Abort(ctx, p.token), flow.CodeUnexpectedStep)
}

func TestACrashAroundTheCommitsLosesNothing(t *testing.T) {
	crash := errors.New("power cut")
	for _, write := range []string{"commit(persisting,0)", "commit(completed,0)"} {
		t.Run(write, func(t *testing.T) {
			w := newWorld(t, "")
			p := w.begin().toPassword(ada)
			w.rows.fail = func(name string) error {
				if name == write {
					return crash
				}
				return nil
			}
			w.problem(p.password(), flow.CodeUnavailable)
			w.rows.fail = nil
			w.restart("")
			if write == "commit(persisting,0)" {
				if len(w.store.accounts()) > 0 {
					t.Fatal("the store was asked before the intent was committed")
				}
				p.must(p.password())
			} else {
				w.clock.advance(lastRun)
				p.must(p.persist())
			}
			if len(w.store.accounts()) != 1 || p.last.Phase != flow.PhaseCompleted {
				t.Errorf("there are %d accounts", len(w.store.accounts()))
			}
		})
	}
}

func TestAnOvertakenExecutionDoesNotCount(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.store.before = fails(1, plugin.ErrUnknownOutcome)
	w.problem(p.password(), flow.CodeUnavailable)
	w.clock.advance(lastRun)
	stalled := make(chan struct{})
	entered := make(chan struct{})
	var seen atomic.Bool
	w.store.before = nil
	slow := slowCreate{w.store, func() {
		if seen.CompareAndSwap(false, true) {
			close(entered)
			<-stalled
		}
	}}
	backend, err := plugin.Of(context.Background(), slow)
	w.must(err)
	w.restart("", func(c *flow.Config) { c.Store = backend })
	first := make(chan error)
	go func() {
		_, err := w.Answer(context.Background(), p.token, "persist", flow.Answer{})
		first <- err
	}()
	<-entered
	w.clock.advance(lastRun)
	p.must(p.persist())
	close(stalled)
	w.problem(<-first, flow.CodeUnavailable)
	if p.show().Phase != flow.PhaseCompleted || len(w.store.accounts()) != 1 {
		t.Errorf("the registration is %+v", p.show())
	}
}

// slowCreate stalls before the store is asked.
type slowCreate struct {
	*memoryStore
	stall func()
}

func (s slowCreate) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	s.stall()
	return s.memoryStore.Create(ctx, a)
}

func TestAClientThatHangsUpStopsNothing(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	ctx, cancel := context.WithCancel(context.Background())
	w.store.before = func(plugin.NewAccount) error { cancel(); return nil }
	_, err := w.Answer(ctx, p.token, "password", answerOf(items(object{"password": goodPassword})))
	p.must(err)
	if p.show().Phase != flow.PhaseCompleted {
		t.Errorf("the registration is %+v", p.show())
	}
}

func TestNoAccountIsBegunThatThereIsNoTimeToFinish(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	for range 4 {
		w.clock.advance(29 * time.Minute)
		p.must(p.answer("about-you", aboutYou(ada)))
		if w.clock.Now().Sub(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)) < 100*time.Minute {
			p.must(p.change())
		}
	}
	p.must(p.code(w.mail.code(ada)))
	w.clock.advance(3*time.Minute + 10*time.Second)
	w.problem(p.password(), flow.CodeRegistrationGone)
	if _, creates := w.store.counts(); creates > 0 {
		t.Error("the store was asked")
	}
}
