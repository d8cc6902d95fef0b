package flow

import "context"

// Observer is told what happens, for figures and traces. All that it is told is bounded: flows and kinds of steps come
// from the flows file, actions and problems' codes from this package. Nothing of it is about anybody.
type Observer interface {
	// Trip is told of a trip that begins; the context that it returns is the trip's. end is told the flow and the kind of
	// the step that the trip began at, "" where none was found, and how it ended.
	Trip(ctx context.Context, a Action) (_ context.Context, end func(flow, kind string, err error))
	// Completed is told of every registration that has become an account.
	Completed(flow string)
}

// Action is what a trip is for.
type Action string

// The actions.
const (
	ActionStart  Action = "start"
	ActionAnswer Action = "answer"
	ActionShow   Action = "show"
	ActionResend Action = "resend"
	ActionChange Action = "change"
	ActionAbort  Action = "abort"
)

// unobserved is an observer that nobody has sent.
type unobserved struct{}

func (unobserved) Trip(ctx context.Context, _ Action) (context.Context, func(flow, kind string, err error)) {
	return ctx, func(string, string, error) {}
}

func (unobserved) Completed(string) {}

// watched is a trip that the observer looks at.
type watched struct {
	ctx              context.Context //nolint:containedctx // the trip's: it ends with it
	dispatcher       *Dispatcher
	action           Action
	trip             *trip
	observer         Observer
	flow, kind, step string
	// subject is whom the trip is about, for the audit trail: a record that is wiped at the end no longer tells.
	subject string
	open    bool // it was no account when the trip began
	end     func(flow, kind string, err error)
}

func (d *Dispatcher) watch(ctx context.Context, a Action) (context.Context, *watched) {
	w := &watched{dispatcher: d, action: a, observer: d.config.Observer}
	w.ctx, w.end = w.observer.Trip(ctx, a)
	return w.ctx, w
}

// at notes where the trip begins; tr may be nil.
func (w *watched) at(tr *trip) {
	if tr == nil {
		return
	}
	w.trip, w.flow, w.open, w.subject = tr, tr.flow.Name, !tr.completed(), w.dispatcher.subject(tr)
	if tr.step != nil {
		w.kind, w.step = tr.step.kind, tr.step.name
	}
}

// done tells how the trip ended.
func (w *watched) done(r *Registration, err *error) {
	if *err == nil && w.open && r.Phase == PhaseCompleted {
		w.observer.Completed(w.flow)
	}
	w.dispatcher.audit(w.ctx, w, r, *err)
	w.end(w.flow, w.kind, *err)
}
