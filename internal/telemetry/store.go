package telemetry

import (
	"context"
	"errors"
	"time"

	"github.com/narthex/narthex/plugin"
)

// Store returns the same store with every call of it measured. Nothing else about it changes.
func (t *Telemetry) Store(b plugin.Backend) plugin.Backend {
	b.Persister = measured{b.Persister, t}
	if b.Authenticator != nil {
		b.Authenticator = measuredAuthenticator{b.Authenticator, t}
	}
	if b.PasswordSetter != nil {
		b.PasswordSetter = measuredPasswordSetter{b.PasswordSetter, t}
	}
	if b.Updater != nil {
		b.Updater = measuredUpdater{b.Updater, t}
	}
	if b.Lister != nil {
		b.Lister = measuredLister{b.Lister, t}
	}
	if b.Maintainer != nil {
		b.Maintainer = measuredMaintainer{b.Maintainer, t}
	}
	if b.Statuses != nil {
		b.Statuses = measuredStatuses{b.Statuses, t}
	}
	if b.SchemaChecker != nil {
		b.SchemaChecker = measuredSchemaChecker{b.SchemaChecker, t}
	}
	return b
}

// call is told of a call's begin, and by what it returns, of its end.
func (t *Telemetry) call(ctx context.Context, operation string) (context.Context, func(error)) {
	began := time.Now()
	ctx = plugin.WithRequest(ctx, t.requestID(ctx))
	endSpan := func(string) {}
	if t.traces != nil {
		ctx, endSpan = t.traces.storeCall(ctx, operation)
	}
	return ctx, func(err error) {
		outcome := storeOutcome(err)
		t.figures.storeCalls.WithLabelValues(operation, outcome).Inc()
		t.figures.storing.WithLabelValues(operation).Observe(time.Since(began).Seconds())
		endSpan(outcome)
	}
}

// storeOutcome is "ok", the name of a sentinel, or "error".
func storeOutcome(err error) string {
	if err == nil {
		return "ok"
	}
	for _, o := range []struct {
		err  error
		name string
	}{
		{plugin.ErrNotFound, "not_found"}, {plugin.ErrExists, "exists"}, {plugin.ErrConflict, "conflict"}, {plugin.ErrInvalid, "invalid"},
		{plugin.ErrDenied, "denied"}, {plugin.ErrUnknownOutcome, "unknown_outcome"}, {plugin.ErrUnavailable, "unavailable"},
		{errors.ErrUnsupported, "unsupported"}, {context.DeadlineExceeded, "deadline"}, {context.Canceled, "canceled"},
	} {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return "error"
}

type measured struct {
	plugin.Persister
	t *Telemetry
}

// Describe implements plugin.Persister.
func (m measured) Describe(ctx context.Context) (d plugin.Description, err error) {
	ctx, end := m.t.call(ctx, "describe")
	defer func() { end(err) }()
	return m.Persister.Describe(ctx)
}

// Create implements plugin.Persister.
func (m measured) Create(ctx context.Context, n plugin.NewAccount) (a plugin.Account, err error) {
	ctx, end := m.t.call(ctx, "create")
	defer func() { end(err) }()
	return m.Persister.Create(ctx, n)
}

// Resolve implements plugin.Persister.
func (m measured) Resolve(ctx context.Context, attempt plugin.Attempt, keys []plugin.Key) (a plugin.Account, err error) {
	ctx, end := m.t.call(ctx, "resolve")
	defer func() { end(err) }()
	return m.Persister.Resolve(ctx, attempt, keys)
}

// Lookup implements plugin.Persister.
func (m measured) Lookup(ctx context.Context, k plugin.Key) (a plugin.Account, err error) {
	ctx, end := m.t.call(ctx, "lookup")
	defer func() { end(err) }()
	return m.Persister.Lookup(ctx, k)
}

// Get implements plugin.Persister.
func (m measured) Get(ctx context.Context, id plugin.ID) (a plugin.Account, err error) {
	ctx, end := m.t.call(ctx, "get")
	defer func() { end(err) }()
	return m.Persister.Get(ctx, id)
}

// Delete implements plugin.Persister.
func (m measured) Delete(ctx context.Context, id plugin.ID) (err error) {
	ctx, end := m.t.call(ctx, "delete")
	defer func() { end(err) }()
	return m.Persister.Delete(ctx, id)
}

// Ping implements plugin.Persister.
func (m measured) Ping(ctx context.Context) (err error) {
	ctx, end := m.t.call(ctx, "ping")
	defer func() { end(err) }()
	return m.Persister.Ping(ctx)
}
