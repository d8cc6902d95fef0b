package flow

import (
	"context"
	"encoding/json"
	"time"

	"github.com/narthex/narthex/plugin"
)

// API is what the faces of the sidecar (the HTTP API, the pages) may do with registrations. *Dispatcher implements it.
// Every error that is meant for the client is a *Problem; any other error is a fault of ours and is shown as
// "internal" without a word more.
type API interface {
	// Flows tells which flows are offered.
	Flows(locale string) FlowList
	// Start begins a registration. The answer carries its token.
	Start(ctx context.Context, r StartRequest) (Registration, error)
	// Show returns the registration that the token opens.
	Show(ctx context.Context, t Token) (Registration, error)
	// Answer gives the answer to the current step, by the step's name.
	Answer(ctx context.Context, t Token, step string, a Answer) (Registration, error)
	// Resend asks for the current step's message once more.
	Resend(ctx context.Context, t Token, step string) (Registration, error)
	// Change leads back from a verification to the step that collected its address, with what was entered there.
	Change(ctx context.Context, t Token, step string) (Registration, error)
	// Abort removes the registration; nothing stays.
	Abort(ctx context.Context, t Token) error
}

// Token is a registration's token in its text form (base64url, 43 characters); it opens the row. It is a secret.
type Token = plugin.Secret

// FlowList is what a login page asks before it offers "create account".
type FlowList struct {
	Enabled bool
	Default string
	Flows   []FlowInfo
}

// FlowInfo names one open flow. Title is in the caller's language.
type FlowInfo struct{ Name, Title string }

// StartRequest begins a registration. Empty Flow means the default flow.
type StartRequest struct {
	Flow, Locale, ReturnTo string
}

// Answer is what the client sent to a step, still undecoded: a step knows its own members and refuses others.
// It is a JSON object without repeated members, of valid UTF-8.
type Answer map[string]json.RawMessage

// Phase is where a registration stands.
type Phase string

// The phases.
const (
	PhaseOpen      Phase = "open"
	PhasePending   Phase = "pending" // waits for somebody or something else than the client
	PhaseCompleted Phase = "completed"
	PhaseAborted   Phase = "aborted"
)

// Registration is a registration as its client may see it.
type Registration struct {
	Flow      string
	Title     string
	Phase     Phase
	ExpiresAt time.Time
	Locale    string
	// Step is what to do next; nil when there is nothing.
	Step *StepView
	// Identifier is what the person has entered to log in with later, or "": password managers keep it with the password.
	Identifier string
	// Username is set once the registration is completed.
	Username string
	// ContinueWith tells where to go from here.
	ContinueWith []Continuation
	// Token is set when the client must use a new one from now on.
	Token Token
}

// StepView is the current step as the client sees it.
type StepView struct {
	Name, Kind string
	Fields     []Field
	// Target is where a message went, shortened for display ("j…@example.org").
	Target string
	// ResendAfter is when a further message may be asked for; zero when none may.
	ResendAfter time.Time
	// AttemptsLeft is -1 where attempts are not counted.
	AttemptsLeft int
	// CanChange is true where Change leads back to the step that collected the address.
	CanChange bool
}

// Field is one datum to be entered.
type Field struct {
	Name         string
	Type         string // string, boolean, date, datetime, integer, enum, email, phone, password, username, code
	Label        string
	Required     bool
	Autocomplete string // HTML autofill token, or ""
	Min, Max     *int64 // length in characters for texts, value for integers
	MinDate      string // for dates and date-times, or ""
	MaxDate      string
	Pattern      string // ECMAScript, anchored at both ends by its user, or ""
	Options      []Option
	// Value is what was entered before, as text; never for passwords and codes.
	Value string
}

// Option is one choice of an enum.
type Option struct{ Value, Label string }

// Continuation is one way on after the registration.
type Continuation struct {
	Action string // "login" or "redirect"
	URL    string
}
