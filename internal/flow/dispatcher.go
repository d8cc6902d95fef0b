package flow

import (
	"context"

	"github.com/narthex/narthex/plugin"
)

// Dispatcher walks registrations through their flows. It is the only one that writes, sends, creates accounts and picks
// the next step. It keeps nothing in memory between two calls, so any replica can make the next trip.
type Dispatcher struct {
	config Config
	texts  *Texts
	flows  map[string]*runningFlow
	// counted has the names of steps that verify, in any flow.
	counted map[string]bool
	runtime *runtime
	budgets budgets
}

var _ API = (*Dispatcher)(nil)

// Start begins a registration: a new row, at the first step that waits.
func (d *Dispatcher) Start(ctx context.Context, r StartRequest) (reg Registration, err error) {
	ctx, w := d.watch(ctx, ActionStart)
	defer w.done(&reg, &err)
	tr, err := d.begin(ctx, r)
	w.at(tr)
	if err != nil {
		return Registration{}, err
	}
	if err := tr.advance(ctx); err != nil {
		return Registration{}, err
	}
	if err := d.insert(ctx, tr); err != nil {
		return Registration{}, err
	}
	return tr.view(), nil
}

// Answer makes one trip: load the row, let the current step judge the answer, enter the next steps until one waits,
// commit row and message together.
func (d *Dispatcher) Answer(ctx context.Context, t Token, step string, a Answer) (r Registration, err error) {
	ctx, w := d.watch(ctx, ActionAnswer)
	defer w.done(&r, &err)
	tr, err := d.openToAnswer(ctx, t, step)
	w.at(tr)
	if err != nil {
		return Registration{}, err
	}
	r, err = d.answer(ctx, tr, a)
	if err != nil {
		d.giveBack(ctx, tr, err)
	}
	return r, err
}

// answer lets the step judge, and goes on from there.
func (d *Dispatcher) answer(ctx context.Context, tr *trip, a Answer) (Registration, error) {
	effects, err := tr.step.Answer(ctx, tr.visit(), a)
	if err != nil {
		return Registration{}, err
	}
	if tr.completed() {
		return tr.view(), nil
	}
	if tr.persisting() {
		return d.resume(ctx, tr)
	}
	if err := tr.apply(tr.step, effects); err != nil {
		return Registration{}, err
	}
	if err := tr.advance(ctx); err != nil {
		return Registration{}, err
	}
	if tr.record.Account != nil {
		return d.handOver(ctx, tr)(d.persist(ctx, tr))
	}
	return d.arrived(ctx, writeAnswer, tr)
}

// handOver makes sure that a client whose token was changed learns the new one, also when the same trip then went wrong:
// it is shown where the registration stands now, and meets the trouble again when it goes on.
func (d *Dispatcher) handOver(ctx context.Context, tr *trip) func(Registration, error) (Registration, error) {
	return func(r Registration, err error) (Registration, error) {
		if err == nil || !tr.handed {
			return r, err
		}
		ctx, cancel := lastWords(ctx)
		defer cancel()
		token := plugin.NewSecret(tr.token.Text())
		tr, errShow := d.open(ctx, token)
		if errShow != nil {
			return r, err
		}
		now := tr.view()
		now.Token = token
		return now, nil
	}
}

// arrived commits the trip and shows where it led.
func (d *Dispatcher) arrived(ctx context.Context, name string, tr *trip) (Registration, error) {
	if err := d.commit(ctx, name, tr); err != nil {
		return Registration{}, err
	}
	return tr.view(), nil
}

// Show returns the registration as it stands.
func (d *Dispatcher) Show(ctx context.Context, t Token) (r Registration, err error) {
	ctx, w := d.watch(ctx, ActionShow)
	defer w.done(&r, &err)
	tr, err := d.open(ctx, t)
	w.at(tr)
	if err != nil {
		return Registration{}, err
	}
	return tr.view(), nil
}

// Resend sends the current step's message once more, with another code. Attempts go on being counted.
func (d *Dispatcher) Resend(ctx context.Context, t Token, step string) (r Registration, err error) {
	ctx, w := d.watch(ctx, ActionResend)
	defer w.done(&r, &err)
	tr, err := d.openAt(ctx, t, step)
	w.at(tr)
	if err != nil {
		return Registration{}, err
	}
	verification, ok := tr.step.Step.(Verification)
	if !ok {
		return Registration{}, &Problem{Code: CodeUnexpectedStep}
	}
	effects, err := verification.Resend(ctx, tr.visit())
	if err != nil {
		return Registration{}, err
	}
	if code, waits := tr.record.Codes[tr.step.name]; waits {
		tr.kept = &code
	}
	if err := tr.apply(tr.step, effects); err != nil {
		return Registration{}, err
	}
	return d.arrived(ctx, writeResend, tr)
}

// Change leads back to the step that collected the address which the current step verifies. The code that was sent is
// dead from then on; attempts and messages go on being counted.
func (d *Dispatcher) Change(ctx context.Context, t Token, step string) (r Registration, err error) {
	ctx, w := d.watch(ctx, ActionChange)
	defer w.done(&r, &err)
	tr, err := d.openAt(ctx, t, step)
	w.at(tr)
	if err != nil {
		return Registration{}, err
	}
	if err := tr.leadBack(); err != nil {
		return Registration{}, err
	}
	return d.arrived(ctx, writeChange, tr)
}

// Abort removes the registration. One whose account is being created cannot be taken back.
func (d *Dispatcher) Abort(ctx context.Context, t Token) (err error) {
	ctx, w := d.watch(ctx, ActionAbort)
	defer w.done(&Registration{}, &err)
	tr, err := d.open(ctx, t)
	w.at(tr)
	if err != nil {
		return err
	}
	if tr.persisting() {
		return &Problem{Code: CodeUnexpectedStep}
	}
	return d.remove(ctx, tr)
}
