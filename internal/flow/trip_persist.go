package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// redraws bounds how often a username is drawn again because somebody has it.
const redraws = 3

// persist creates the account: intent before effect. The row is committed with the complete account first, then the
// store is asked, then the outcome is committed. A crash in between leaves a row that an empty answer, or the Resolver,
// brings to its end.
func (d *Dispatcher) persist(ctx context.Context, tr *trip) (Registration, error) {
	for drawn := 0; ; drawn++ {
		if err := d.intend(ctx, tr); err != nil {
			return Registration{}, err
		}
		account, err := d.create(ctx, tr)
		if err == nil {
			return d.complete(ctx, tr, account.Username)
		}
		again, err := d.refused(ctx, tr, err, drawn)
		if !again {
			return Registration{}, err
		}
	}
}

// resume starts the next execution of an attempt, unless the last one may still live.
func (d *Dispatcher) resume(ctx context.Context, tr *trip) (Registration, error) {
	if wait := tr.run.NotAfter.Add(plugin.ClockSlack).Sub(tr.now); !tr.run.Answered && wait > 0 {
		return Registration{}, unavailable(errors.New("the last execution may still live"), wait)
	}
	r, err := d.persist(ctx, tr)
	if errors.Is(err, state.ErrStale) {
		err = overtaken(err)
	}
	return r, err
}

// leastForPersist is what must be left of a registration's life before an account is created: time for the execution
// and for the worker that settles it.
const leastForPersist = time.Minute

// intend commits what is about to happen: the account sealed for the client, and for the server what it takes to find
// out what became of it.
func (d *Dispatcher) intend(ctx context.Context, tr *trip) (err error) {
	if tr.now, err = d.now(ctx); err != nil {
		return err
	}
	if tr.row.ExpiresAt.Sub(tr.now) < leastForPersist {
		return gone(errors.New("too little time is left to create the account"))
	}
	draft := tr.record.Account
	tr.run = &run{
		Attempt: draft.Attempt, Keys: draft.Keys, NotAfter: tr.now.Add(plugin.CreateLifetime),
		Locale: tr.record.Locale, ReturnTo: tr.record.ReturnTo,
	}
	tr.row.Phase = state.PhasePersisting
	if !tr.record.Charged {
		tr.record.Charged = true
		if tr.row.Takes, err = d.budgets.finish(ctx, tr.record.Guessed); err != nil {
			return err
		}
	}
	tr.row.RunNotAfter, tr.row.ResolveAt = tr.run.NotAfter, tr.run.NotAfter.Add(plugin.ClockSlack)
	return d.commit(ctx, writeIntent, tr)
}

// create executes the attempt once. It goes on when the client hangs up: what was begun is brought to its end.
func (d *Dispatcher) create(ctx context.Context, tr *trip) (plugin.Account, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), plugin.CreateLifetime)
	defer cancel()
	account := tr.record.Account.account(tr.record.Password)
	account.NotAfter = tr.run.NotAfter
	var created plugin.Account
	err := write(writeCreate, func() (err error) {
		created, err = d.config.Store.Create(ctx, account)
		return err
	})
	return created, err
}

// complete commits that the account exists, and wipes everything but the username.
func (d *Dispatcher) complete(ctx context.Context, tr *trip, username string) (Registration, error) {
	ctx, cancel := lastWords(ctx)
	defer cancel()
	tr.finish(username)
	if err := d.commit(ctx, writeCompleted, tr); err != nil {
		return Registration{}, overtaken(err)
	}
	return tr.view(), nil
}

// finish makes the trip's row that of a registration with an account.
func (t *trip) finish(username string) {
	t.record = &Record{Locale: t.record.Locale, ReturnTo: t.record.ReturnTo, Username: username}
	t.run = nil
	t.row.Phase, t.row.RunNotAfter, t.row.ResolveAt = state.PhaseCompleted, time.Time{}, time.Time{}
	t.row.IdleFor = completedLife
}

// refused deals with an execution that made no account. It returns true when the next one, with another username, is
// to be started at once, and otherwise the error for the client.
func (d *Dispatcher) refused(ctx context.Context, tr *trip, cause error, drawn int) (again bool, _ error) {
	ctx, cancel := lastWords(ctx)
	defer cancel()
	var field *plugin.FieldError
	switch {
	case errors.As(cause, &field) && (errors.Is(cause, plugin.ErrExists) || errors.Is(cause, plugin.ErrInvalid)):
		if blamed, known := tr.flow.blamed[field.Field]; known {
			return d.retreat(ctx, tr, blamed, field, drawn)
		}
		return false, d.release(ctx, tr, fmt.Errorf("create the account: %w", cause))
	case errors.Is(cause, plugin.ErrInvalid), errors.Is(cause, plugin.ErrExists), errors.Is(cause, plugin.ErrDenied),
		errors.Is(cause, errors.ErrUnsupported):
		return false, d.release(ctx, tr, fmt.Errorf("create the account: %w", cause))
	case errors.Is(cause, plugin.ErrUnavailable):
		return false, d.release(ctx, tr, unavailable(cause, storePause))
	default:
		// Nobody knows. The execution may commit until its time is over.
		return false, unavailable(cause, plugin.CreateLifetime+plugin.ClockSlack)
	}
}

// release notes that the last execution did nothing, so that the next one may start at once. answer is for the client.
func (d *Dispatcher) release(ctx context.Context, tr *trip, answer error) error {
	tr.run.Answered = true
	if err := d.commit(ctx, writeReleased, tr); err != nil {
		return overtaken(err)
	}
	return answer
}

// retreat gives the attempt up and leads back to the step that supplied the value which the store refused. What was
// proved and does not change stays proved. A drawn username is drawn again.
func (d *Dispatcher) retreat(ctx context.Context, tr *trip, b blame, field *plugin.FieldError, drawn int) (bool, error) {
	tr.record.reopen(b.step.name)
	tr.run, tr.row.Phase = nil, state.PhaseOpen
	tr.row.RunNotAfter, tr.row.ResolveAt = time.Time{}, time.Time{}
	persist := tr.step
	if err := tr.advance(ctx); err != nil {
		return false, err
	}
	if tr.record.Account != nil && drawn < redraws {
		return true, nil
	}
	answer := tr.blaming(b, field)
	if tr.record.Account != nil {
		// Draw again later: the empty answer to the persist step does.
		tr.record.reopen(b.step.name)
		tr.arrive(persist)
		answer = unavailable(field, storePause)
	}
	if err := d.commit(ctx, writeRetreat, tr); err != nil {
		return false, overtaken(err)
	}
	return false, answer
}

// blaming is the problem for a value that the store refused. The mailbox is proved by now, so that may be said.
func (t *trip) blaming(b blame, field *plugin.FieldError) error {
	p := &Problem{Code: CodeInvalidInput, Cause: field}
	if errors.Is(field, plugin.ErrExists) {
		p.Code = CodeIdentifierTaken
	}
	p.Violations = []Violation{t.flow.texts.violation(t.record.Locale, b.item.Name, field.Code, nil)}
	return p
}

// lastWords is the time to commit an outcome, also for a client that has hung up.
func lastWords(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

// overtaken is the answer when an outcome could not be committed: the row is as it was, or another execution has begun,
// and then only that one's outcome counts.
func overtaken(err error) error { return unavailable(err, time.Second) }
