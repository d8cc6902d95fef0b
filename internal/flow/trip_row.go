package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	now, err := d.now(ctx)
	if err != nil {
		return nil, err
	}
	return d.unseal(ctx, token, row, now)
}

// unseal makes a trip of a row.
func (d *Dispatcher) unseal(ctx context.Context, token seal.Token, row state.Row, now time.Time) (*trip, error) {
	f := d.flows[row.Flow]
	if f == nil {
		return nil, gone(fmt.Errorf("the flow %q is no more", row.Flow))
	}
	if !f.Open {
		return nil, &Problem{Code: CodeDisabled}
	}
	tr := &trip{flow: f, token: token, row: row, step: f.step(row.Step), now: now}
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
	return tr, nil
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
	tr.row.Locator, tr.row.SealedFor, tr.row.Server, tr.row.Silenced = tr.token.Locator(), state.SealedForClient, nil, nil
	var err error
	if tr.row.Sealed, err = d.sealed(tr, tr.record); err != nil {
		return err
	}
	if tr.kept != nil {
		// If the message with the new code is left out, the one that the person has stays good.
		silenced := *tr.record
		silenced.Codes = maps.Clone(silenced.Codes)
		silenced.Codes[tr.step.name] = *tr.kept
		if tr.row.Silenced, err = d.sealed(tr, &silenced); err != nil {
			return err
		}
	}
	if tr.run == nil {
		return nil
	}
	clear, err := json.Marshal(tr.run)
	if err != nil {
		return fmt.Errorf("encode the run of a registration: %w", err)
	}
	if tr.row.Server, err = d.config.Keys.Seal(purposeRun, nil, tr.row.Ref, clear); err != nil {
		return fmt.Errorf("seal the run of a registration: %w", err)
	}
	return nil
}

// sealed is a record of the trip, sealed for its client.
func (d *Dispatcher) sealed(tr *trip, r *Record) ([]byte, error) {
	clear, err := r.encode()
	if err != nil {
		return nil, err
	}
	sealed, err := d.config.Keys.Seal(purposeRow, tr.token.Opener(), boundTo(tr.row), clear)
	if err != nil {
		return nil, fmt.Errorf("seal a registration: %w", err)
	}
	return sealed, nil
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
	messages, err := d.prepare(ctx, tr)
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
	if row.WasSilenced {
		messages = nil
		d.config.Log.InfoContext(ctx, "a message was left out, because its address has had as many as the limits allow", "registration", row.Ref)
	}
	row.Takes, row.Silenced, row.WasSilenced = nil, nil, false
	tr.row, tr.mail, tr.kept, tr.handed = row, nil, nil, tr.fresh
	d.config.Messenger.Enqueue(messages...)
	return nil
}

// prepare seals the row, composes the trip's messages and says what they cost.
func (d *Dispatcher) prepare(ctx context.Context, tr *trip) ([]state.Message, error) {
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
		takes, err := d.budgets.message(ctx, m, tr.flow.Stealth)
		if err != nil {
			return nil, err
		}
		tr.row.Takes = append(tr.row.Takes, takes...)
	}
	return messages, nil
}

// remove deletes the row.
func (d *Dispatcher) remove(ctx context.Context, tr *trip) error {
	return d.rowError(write(writeAbort, func() error { return d.config.Rows.Delete(ctx, tr.row) }))
}

// rowError says what an error of the state database means for the client.
func (d *Dispatcher) rowError(err error) error {
	var nothingLeft *state.SpentError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, state.ErrGone):
		return gone(err)
	case errors.Is(err, state.ErrStale), errors.Is(err, state.ErrWrongStep):
		return &Problem{Code: CodeUnexpectedStep, Cause: err}
	case errors.Is(err, state.ErrExhausted):
		return &Problem{Code: CodeTooManyAttempts, Cause: err}
	case errors.As(err, &nothingLeft):
		return spent(nothingLeft)
	default:
		return unavailable(err, storePause)
	}
}
