package flow

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
)

// errNotCounted tells that the registration is at a step whose answers are not counted.
var errNotCounted = errors.New("answers to this step are not counted")

// openToAnswer loads the registration at the step named. An answer to a verification is counted, and takes from its
// budgets, before anybody looks at it: what is compared later is what was there when it was counted.
func (d *Dispatcher) openToAnswer(ctx context.Context, t Token, step string) (*trip, error) {
	if d.counted[step] {
		tr, err := d.openCounted(ctx, t, step)
		if !errors.Is(err, errNotCounted) { // another flow has a step of this name that is
			return tr, err
		}
	}
	return d.openAt(ctx, t, step)
}

func (d *Dispatcher) openCounted(ctx context.Context, t Token, step string) (*trip, error) {
	if !d.config.Enabled {
		return nil, &Problem{Code: CodeDisabled}
	}
	token, err := seal.ParseToken(t.Reveal())
	if err != nil {
		return nil, gone(err)
	}
	var tr *trip
	var refused error
	judge := func(row state.Row, now time.Time) (_ []state.Take, err error) {
		defer func() { refused = err }()
		if tr, err = d.unseal(ctx, token, row, now); err != nil {
			return nil, err
		}
		verification, is := tr.step.Step.(Verification)
		if !is {
			return nil, errNotCounted
		}
		item := verification.Item()
		tr.guess, err = d.budgets.guess(ctx, d.runtime.limitKey(item, tr.record.Values[item.Name]))
		return tr.guess, err
	}
	err = write(writeCount, func() error {
		_, err := d.config.Rows.CountAttempt(ctx, token.Locator(), step, judge)
		return err
	})
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, d.rowError(err)
	}
	return tr, nil
}

// giveBack takes a counted answer back that was right and could not be taken because something is unavailable. A wrong
// one is told so before anything is asked, so nobody guesses for nothing.
func (d *Dispatcher) giveBack(ctx context.Context, tr *trip, cause error) {
	var problem *Problem
	if tr.guess == nil || !errors.As(cause, &problem) || problem.Code != CodeUnavailable {
		return
	}
	ctx, cancel := lastWords(ctx)
	defer cancel()
	if err := d.config.Rows.Uncount(ctx, tr.row, tr.guess...); err != nil {
		d.config.Log.WarnContext(ctx, "an answer that could not be judged stays counted", "error", err)
	}
}
