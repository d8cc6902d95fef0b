package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// The Resolver's pace.
const (
	resolvePause = 5 * time.Second
	resolveBatch = 20
	resolveLimit = 20 * time.Second
)

// Resolver finds out what became of accounts whose client stays away after an execution without an outcome. What the
// store has committed becomes a completed registration; what it has not is left as it is, until the client goes on or
// the row expires.
type Resolver struct{ d *Dispatcher }

// NewResolver returns the worker for a dispatcher's registrations, those of closed flows included.
func NewResolver(d *Dispatcher) *Resolver { return &Resolver{d} }

// Run works until ctx is done.
func (r *Resolver) Run(ctx context.Context) {
	tick := time.NewTicker(resolvePause)
	defer tick.Stop()
	for {
		if _, err := r.Resolve(ctx); err != nil && ctx.Err() == nil {
			r.d.config.Log.WarnContext(ctx, "unfinished accounts could not be settled", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Resolve settles what is due now, and returns how many registrations it has completed.
func (r *Resolver) Resolve(ctx context.Context) (completed int, err error) {
	rows, err := r.d.config.Rows.ClaimUnresolved(ctx, resolveBatch)
	if err != nil {
		return 0, fmt.Errorf("find unfinished accounts: %w", err)
	}
	var errs []error
	for _, row := range rows {
		done, err := r.settle(ctx, row)
		if err != nil {
			errs = append(errs, fmt.Errorf("registration %s: %w", row.Ref, err))
		}
		if done {
			completed++
		}
	}
	return completed, errors.Join(errs...)
}

// settle asks the store about one attempt. Its outcome counts only while nobody has begun another execution.
func (r *Resolver) settle(ctx context.Context, row state.Row) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	run, err := r.d.openRun(row)
	if err != nil {
		return false, err
	}
	var account plugin.Account
	err = write(writeResolve, func() (err error) {
		account, err = r.d.config.Store.Resolve(ctx, run.Attempt, run.Keys)
		return err
	})
	switch {
	case errors.Is(err, plugin.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("resolve an attempt: %w", err)
	}
	if row, err = r.completed(row, run, account.Username); err != nil {
		return false, err
	}
	err = write(writeResolved, func() error {
		_, err := r.d.config.Rows.Commit(ctx, row)
		return err
	})
	if errors.Is(err, state.ErrStale) {
		return false, nil
	}
	if err == nil {
		r.d.config.Observer.Completed(row.Flow)
		r.d.config.Log.LogAttrs(ctx, slog.LevelInfo, auditMessage, slog.String("event", "registration.resolve"), slog.String("outcome", "ok"),
			slog.String("flow", row.Flow), slog.String("state", string(PhaseCompleted)), slog.String("registration", row.Ref))
	}
	return err == nil, err
}

// completed is the row of a registration whose client was away when its account was found. Only the server could seal
// it: there is nothing but the username in it.
func (r *Resolver) completed(row state.Row, run *run, username string) (state.Row, error) {
	row.Phase, row.SealedFor, row.Server = state.PhaseCompleted, state.SealedForServer, nil
	row.RunNotAfter, row.ResolveAt, row.IdleFor = time.Time{}, time.Time{}, completedLife
	clear, err := (&Record{Locale: run.Locale, ReturnTo: run.ReturnTo, Username: username}).encode()
	if err != nil {
		return state.Row{}, err
	}
	row.Sealed, err = r.d.config.Keys.Seal(purposeRow, nil, boundTo(row), clear)
	if err != nil {
		return state.Row{}, fmt.Errorf("seal a registration: %w", err)
	}
	return row, nil
}
