package flow

import (
	"context"
	"time"

	"github.com/narthex/narthex/plugin"
)

// Step is one stage of a flow, ready to run. A step keeps nothing between calls and changes nothing: it reads the visit,
// and what should happen it returns as Effects, which the dispatcher carries out. Its errors for the client are
// *Problem; with an error nothing happens at all.
//
// To add a kind, copy the smallest file step_*.go and add its line to kinds.
type Step interface {
	// Done tells whether the record has everything that this step is for. The first step that is not done is next.
	Done(r *Record) bool
	// Enter is called on arrival. A step that has nothing to ask leaves Effects.Wait false.
	Enter(ctx context.Context, v Visit) (Effects, error)
	// Answer judges what the person sent.
	Answer(ctx context.Context, v Visit, a Answer) (Effects, error)
	// View is what the client sees while the step waits; name and kind are filled in by the dispatcher.
	View(v Visit) StepView
}

// Verification is a step that proves an address by something sent there.
type Verification interface {
	Step
	// Attempts is how many answers are judged; the dispatcher counts each before the step sees it.
	Attempts() int
	// Resend asks for the message once more.
	Resend(ctx context.Context, v Visit) (Effects, error)
	// Item is what it verifies. Change leads back to the step that collects it.
	Item() *Item
}

// Visit is what a step may see of a registration. It only reads.
type Visit struct {
	// Ref names the registration for as long as it lives.
	Ref    string
	Flow   *Flow
	Record *Record
	// Now is the time of the state database.
	Now time.Time
	// Attempts counts the answers to this verification, the present one included.
	Attempts int
	// ExpiresAt is when the registration ends whatever happens.
	ExpiresAt time.Time
}

// Effects are what a step wants to happen.
type Effects struct {
	// Wait makes the step the current one until it is answered. Without it the step is done.
	Wait bool
	// Entered replaces what the record holds of the items that the step asks for.
	Entered *Entered
	// Username becomes the registration's username.
	Username string
	// Code replaces the code that the step waits for. Message carries it to the person.
	Code    *IssuedCode
	Message *Mail
	// Proved is the item whose present value is proved to be the person's own. The token changes with it.
	Proved *Item
	// Account is to be created.
	Account *Draft
}

// Entered is what a person entered at one step.
type Entered struct {
	// Items that the step asks for; those without a value here are forgotten.
	Items    []*Item
	Values   map[string]plugin.Value
	Password plugin.Secret
}

// Mail is a message that a step asks for.
type Mail struct {
	// To is the address as it was typed; LimitKey what all variants of its mailbox share.
	To, LimitKey string
	// Key is how a store would find the address, when the message depends on whether somebody has it; see Stealth.
	Key plugin.Key
	// Stealth lets the worker look Key up: who has it gets a notice instead of the code.
	Stealth   bool
	Code      string
	ExpiresAt time.Time
}

// kinds lists every kind of step: how its settings are read.
var kinds = map[string]func(*stepReader) Settings{
	"data":         readData,
	"username":     readUsername,
	"verify-email": readVerifyEmail,
	"persist":      readPersist,
}
