package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
)

// Purposes of what the engine seals and hashes.
const (
	purposeRow  = "registration"
	purposeRun  = "registration-run"
	purposeCode = "code"
)

// completedLife is how long a completed registration answers repeated requests.
const completedLife = 10 * time.Minute

// gone is the one answer for unknown, expired, aborted and unreadable registrations.
func gone(cause error) error { return &Problem{Code: CodeRegistrationGone, Cause: cause} }

// openAt loads the registration and takes it only at the step named.
func (d *Dispatcher) openAt(ctx context.Context, t Token, step string) (*trip, error) {
	tr, err := d.open(ctx, t)
	if err != nil {
		return nil, err
	}
	if tr.step.name != step {
		return nil, &Problem{Code: CodeUnexpectedStep}
	}
	return tr, nil
}

// open loads the row that the token finds, and opens it. Closed flows are refused, whatever the row says.
func (d *Dispatcher) open(ctx context.Context, t Token) (*trip, error) {
	if !d.config.Enabled {
		return nil, &Problem{Code: CodeDisabled}
	}
	token, err := seal.ParseToken(t.Reveal())
	if err != nil {
		return nil, gone(err)
	}
	row, err := d.config.Rows.Load(ctx, token.Locator())
	if err != nil {
		return nil, d.rowError(err)
	}
	return d.unseal(ctx, token, row)
}

// count raises the counter of a verification, and commits that, before anybody looks at the answer.
func (d *Dispatcher) count(ctx context.Context, tr *trip) error {
	if _, counted := tr.step.Step.(Verification); !counted {
		return nil
	}
	var row state.Row
	err := write(writeCount, func() (err error) {
		row, err = d.config.Rows.CountAttempt(ctx, tr.row.Locator, tr.step.name, nil)
		return err
	})
	if err != nil {
		return d.rowError(err)
	}
	// What is compared is what was there when the attempt was counted.
	counted, err := d.unseal(ctx, tr.token, row)
	if err != nil {
		return err
	}
	*tr = *counted
	return nil
}

// unseal makes a trip of a row.
func (d *Dispatcher) unseal(ctx context.Context, token seal.Token, row state.Row) (*trip, error) {
	f := d.flows[row.Flow]
	if f == nil {
		return nil, gone(fmt.Errorf("the flow %q is no more", row.Flow))
	}
	if !f.Open {
		return nil, &Problem{Code: CodeDisabled}
	}
	tr := &trip{flow: f, token: token, row: row, step: f.step(row.Step)}
	if tr.step == nil {
		return nil, gone(fmt.Errorf("the step %q is no more", row.Step))
	}
	var half []byte
	if row.SealedFor == state.SealedForClient {
		half = token.Opener()
	}
	clear, err := d.config.Keys.Open(purposeRow, half, boundTo(row), row.Sealed)
	if err != nil {
		return nil, gone(err)
	}
	if tr.record, err = decodeRecord(clear); err != nil {
		return nil, err
	}
	if chosen := chosenLocale(ctx); chosen != "" {
		tr.record.Locale = d.texts.Match(chosen)
	}
	if len(row.Server) > 0 {
		if tr.run, err = d.openRun(row); err != nil {
			return nil, err
		}
	}
	tr.now, err = d.now(ctx)
	return tr, err
}

func (d *Dispatcher) openRun(row state.Row) (*run, error) {
	clear, err := d.config.Keys.Open(purposeRun, nil, row.Ref, row.Server)
	if err != nil {
		return nil, fmt.Errorf("open the run of a registration: %w", err)
	}
	var r run
	if err := json.Unmarshal(clear, &r); err != nil {
		return nil, fmt.Errorf("decode the run of a registration: %w", err)
	}
	return &r, nil
}

// seal writes the trip into its row: record and run, new token and deadlines.
func (d *Dispatcher) seal(tr *trip) error {
	clear, err := tr.record.encode()
	if err != nil {
		return err
	}
	tr.row.Locator, tr.row.SealedFor, tr.row.Server = tr.token.Locator(), state.SealedForClient, nil
	if tr.row.Sealed, err = d.config.Keys.Seal(purposeRow, tr.token.Opener(), boundTo(tr.row), clear); err != nil {
		return fmt.Errorf("seal a registration: %w", err)
	}
	if tr.run == nil {
		return nil
	}
	if clear, err = json.Marshal(tr.run); err != nil {
		return fmt.Errorf("encode the run of a registration: %w", err)
	}
	if tr.row.Server, err = d.config.Keys.Seal(purposeRun, nil, tr.row.Ref, clear); err != nil {
		return fmt.Errorf("seal the run of a registration: %w", err)
	}
	return nil
}

// boundTo is what a sealed record belongs to: nobody can move it to another row, flow, step or phase.
func boundTo(row state.Row) string {
	return fmt.Sprintf("%s/%s/%s/%s", row.Ref, row.Flow, row.Step, row.Phase)
}

// insert writes the first row.
func (d *Dispatcher) insert(ctx context.Context, tr *trip) error {
	return d.put(ctx, writeInsert, tr, d.config.Rows.Insert)
}

// commit writes the row, if it is still as it was loaded.
func (d *Dispatcher) commit(ctx context.Context, name string, tr *trip) error {
	return d.put(ctx, name, tr, d.config.Rows.Commit)
}

// put seals the trip and writes row and messages in one transaction. What is to be sent is sent afterwards.
func (d *Dispatcher) put(ctx context.Context, name string, tr *trip,
	do func(context.Context, state.Row, ...state.Message) (state.Row, error)) error {
	messages, err := d.prepare(tr)
	if err != nil {
		return err
	}
	var row state.Row
	err = write(name, func() (err error) {
		row, err = do(ctx, tr.row, messages...)
		return err
	})
	if err != nil {
		return d.rowError(err)
	}
	tr.row, tr.mail, tr.handed = row, nil, tr.fresh
	d.config.Messenger.Enqueue(messages...)
	return nil
}

// prepare seals the row and composes the trip's messages.
func (d *Dispatcher) prepare(tr *trip) ([]state.Message, error) {
	if err := d.seal(tr); err != nil {
		return nil, err
	}
	var messages []state.Message
	for _, m := range tr.mail {
		composed, err := d.config.Messenger.Compose(m, tr.record.Locale)
		if err != nil {
			return nil, fmt.Errorf("compose a message: %w", err)
		}
		messages = append(messages, composed)
	}
	return messages, nil
}

// remove deletes the row.
func (d *Dispatcher) remove(ctx context.Context, tr *trip) error {
	return d.rowError(write(writeAbort, func() error { return d.config.Rows.Delete(ctx, tr.row) }))
}

// rowError says what an error of the state database means for the client.
func (d *Dispatcher) rowError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, state.ErrGone):
		return gone(err)
	case errors.Is(err, state.ErrStale), errors.Is(err, state.ErrWrongStep):
		return &Problem{Code: CodeUnexpectedStep, Cause: err}
	case errors.Is(err, state.ErrExhausted):
		return &Problem{Code: CodeTooManyAttempts, Cause: err}
	default:
		return unavailable(err, storePause)
	}
}
