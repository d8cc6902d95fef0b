package flow

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// runningFlow is a flow that is ready to run.
type runningFlow struct {
	*Flow
	steps []*runningStep
	// blamed says, by attribute, which step to go back to and which item is to blame when a store refuses a value.
	blamed map[string]blame
	// collectors are the steps that ask for an item, by its name.
	collectors map[string]*runningStep
	texts      *Texts
	limitKey   func(*Item, plugin.Value) string
	loginURL   string
}

type runningStep struct {
	name, kind string
	Step
}

// blame is who supplies the value of an attribute.
type blame struct {
	step *runningStep
	item *Item
}

// step returns the step of a name, or nil.
func (f *runningFlow) step(name string) *runningStep {
	for _, s := range f.steps {
		if s.name == name {
			return s
		}
	}
	return nil
}

// trip is one request's way through a registration: what was loaded, and what has changed since.
type trip struct {
	flow   *runningFlow
	token  seal.Token
	row    state.Row
	record *Record
	// run is what goes on without the client; nil before the first execution.
	run *run
	// step is where the registration stands.
	step *runningStep
	now  time.Time
	mail []Mail
	// kept is the code that stays good when the message with a new one is left out.
	kept *IssuedCode
	// guess is what the counted answer took from budgets; nil when none was counted.
	guess []state.Take
	// fresh is set when the client gets a new token, and handed once that is committed and the old one is dead.
	fresh, handed bool
}

// run is what the server knows of an account that is being created: enough to find out what became of it.
type run struct {
	Attempt plugin.Attempt `json:"attempt"`
	Keys    []plugin.Key   `json:"keys"`
	// NotAfter is when the last execution loses its right to commit.
	NotAfter time.Time `json:"not_after"`
	// Answered is true once the last execution has answered that nothing happened and nothing will.
	Answered bool `json:"answered,omitempty"`
	// Locale and ReturnTo are the registration's, for a completion without the client.
	Locale   string `json:"locale"`
	ReturnTo string `json:"return_to,omitempty"`
}

func (t *trip) visit() Visit {
	return Visit{
		Ref: t.row.Ref, Flow: t.flow.Flow, Record: t.record, Now: t.now, Attempts: t.row.Attempts, ExpiresAt: t.row.ExpiresAt,
	}
}

// advance goes to the first step that is not done, and enters further ones until one waits or an account is to be
// created.
func (t *trip) advance(ctx context.Context) error {
	for _, s := range t.flow.steps {
		if s.Done(t.record) {
			continue
		}
		effects, err := s.Enter(ctx, t.visit())
		if err != nil {
			return err
		}
		if err := t.apply(s, effects); err != nil {
			return err
		}
		if effects.Wait || effects.Account != nil {
			t.arrive(s)
			return nil
		}
	}
	return errors.New("the flow has no step that ends it")
}

// apply notes what a step wants to happen.
func (t *trip) apply(s *runningStep, e Effects) error {
	t.record.apply(s.name, e)
	if e.Message != nil {
		t.mail = append(t.mail, *e.Message)
		t.record.Sent = append(t.record.Sent, Sent{To: e.Message.LimitKey, At: t.now})
	}
	if e.Proved == nil {
		return nil
	}
	put(&t.record.Guessed, t.flow.limitKey(e.Proved, t.record.Values[e.Proved.Name]), t.row.Attempts)
	if t.fresh {
		return nil
	}
	// Whoever planted or saw the old token can go no further.
	token, err := seal.NewToken()
	if err != nil {
		return err
	}
	t.token, t.fresh = token, true
	return nil
}

// arrive makes s the current step. A counter starts when its verification is reached for the first time and never
// again, so that no way back gives further guesses.
func (t *trip) arrive(s *runningStep) {
	t.step, t.row.Step = s, s.name
	verification, ok := s.Step.(Verification)
	if !ok {
		return
	}
	t.row.AttemptLimit = verification.Attempts()
	if !t.record.Counted[s.name] {
		put(&t.record.Counted, s.name, true)
		t.row.Attempts, t.row.ResetAttempts = 0, true
	}
}

// leadBack makes the step that collected the verified address the current one again.
func (t *trip) leadBack() error {
	verification, ok := t.step.Step.(Verification)
	if !ok {
		return &Problem{Code: CodeUnexpectedStep}
	}
	if t.exhausted() {
		return &Problem{Code: CodeTooManyAttempts}
	}
	if len(t.record.Sent) >= mostMessages {
		return &Problem{Code: CodeRateLimited, RetryAfter: t.row.ExpiresAt.Sub(t.now)}
	}
	back := t.flow.collectors[verification.Item().Name]
	t.record.reopen(back.name)
	t.arrive(back)
	return nil
}

// persisting tells whether an account is being created.
func (t *trip) persisting() bool { return t.row.Phase == state.PhasePersisting }

// completed tells whether the account exists.
func (t *trip) completed() bool { return t.row.Phase == state.PhaseCompleted }

// exhausted tells whether the current verification has no attempt left: the registration is over.
func (t *trip) exhausted() bool {
	verification, ok := t.step.Step.(Verification)
	return ok && t.row.Attempts >= verification.Attempts()
}
