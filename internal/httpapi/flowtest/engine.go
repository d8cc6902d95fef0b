// Package flowtest owns a small registration engine in memory, for tests of the faces (the API, the pages): it behaves
// like one flow with data, a mailed code, a password and persist. What registrations really mean is left to package flow.
package flowtest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// RightCode is the code that the engine "mails".
const RightCode = "12345678"

// TakenEmail is an address that somebody else holds; it is found out at the end.
const TakenEmail = "taken@example.org"

// Engine is a flow.API. The zero Engine is ready; its fields may be set before it is used.
type Engine struct {
	// Closed refuses every route.
	Closed bool
	// Before runs at the start of every call and may fail it.
	Before func(ctx context.Context) error
	// Now is the clock; nil means the real one.
	Now func() time.Time
	// Username is what a registration ends with; empty means "u7k2m9x4".
	Username string
	// AllTypes makes the first step ask for a field of every type.
	AllTypes bool
	// LoginURL is where a completed registration leads.
	LoginURL string

	mu   sync.Mutex
	rows map[string]*row
}

type row struct {
	step     int
	items    map[string]string
	tries    int
	resendAt time.Time
	expires  time.Time
	phase    flow.Phase
	locale   string
}

var _ flow.API = (*Engine)(nil)

const (
	aboutYou = iota
	verifyEmail
	password
	done
)

var stepNames = [...]string{"about-you", "verify-email", "password", ""}

// Flows offers one flow, or none when the engine is closed.
func (e *Engine) Flows(string) flow.FlowList {
	if e.Closed {
		return flow.FlowList{Default: "standard"}
	}
	return flow.FlowList{Enabled: true, Default: "standard", Flows: []flow.FlowInfo{{Name: "standard", Title: "Create your account"}}}
}

// Start begins a registration in the flow "standard".
func (e *Engine) Start(ctx context.Context, r flow.StartRequest) (flow.Registration, error) {
	if err := e.begin(ctx); err != nil {
		return flow.Registration{}, err
	}
	defer e.mu.Unlock()
	if r.Flow != "" && r.Flow != "standard" {
		return flow.Registration{}, &flow.Problem{Code: flow.CodeUnknownFlow}
	}
	if r.ReturnTo != "" {
		return flow.Registration{}, &flow.Problem{Code: flow.CodeInvalidInput,
			Violations: []flow.Violation{{Field: "return_to", Code: "unknown", Message: "This address is not allowed."}}}
	}
	w := &row{items: map[string]string{}, expires: e.now().Add(30 * time.Minute), phase: flow.PhaseOpen, locale: "en"}
	return e.renew(w, ""), nil
}

// Show returns the registration.
func (e *Engine) Show(ctx context.Context, t flow.Token) (flow.Registration, error) {
	if err := e.begin(ctx); err != nil {
		return flow.Registration{}, err
	}
	defer e.mu.Unlock()
	w, err := e.load(t)
	if err != nil {
		return flow.Registration{}, err
	}
	return e.view(w), nil
}

// Answer takes the answer to the current step.
func (e *Engine) Answer(ctx context.Context, t flow.Token, step string, a flow.Answer) (flow.Registration, error) {
	if err := e.begin(ctx); err != nil {
		return flow.Registration{}, err
	}
	defer e.mu.Unlock()
	w, err := e.at(t, step)
	if err != nil {
		return flow.Registration{}, err
	}
	if w.step == verifyEmail {
		return e.checkCode(w, t, a)
	}
	items, err := decodeItems(a, e.fields(w))
	if err != nil {
		return flow.Registration{}, err
	}
	for name, text := range items {
		w.items[name] = text
	}
	w.step++
	if w.step == verifyEmail {
		w.tries, w.resendAt = 5, e.now().Add(time.Minute)
	}
	if w.step == done {
		if w.items["email"] == TakenEmail {
			w.step = aboutYou
			return flow.Registration{}, &flow.Problem{Code: flow.CodeIdentifierTaken,
				Violations: []flow.Violation{{Field: "email", Code: "taken", Message: "This address is taken."}}}
		}
		w.phase = flow.PhaseCompleted
	}
	return e.view(w), nil
}

func (e *Engine) checkCode(w *row, old flow.Token, a flow.Answer) (flow.Registration, error) {
	var code string
	if len(a) != 1 || json.Unmarshal(a["code"], &code) != nil {
		return flow.Registration{}, &flow.Problem{Code: flow.CodeMalformed}
	}
	if code != RightCode {
		w.tries--
		if w.tries <= 0 {
			delete(e.rows, old.Reveal())
			return flow.Registration{}, &flow.Problem{Code: flow.CodeTooManyAttempts}
		}
		return flow.Registration{}, &flow.Problem{Code: flow.CodeWrongCode, AttemptsLeft: w.tries}
	}
	w.step++
	return e.renew(w, old.Reveal()), nil
}

// Resend starts the waiting time anew.
func (e *Engine) Resend(ctx context.Context, t flow.Token, step string) (flow.Registration, error) {
	if err := e.begin(ctx); err != nil {
		return flow.Registration{}, err
	}
	defer e.mu.Unlock()
	w, err := e.at(t, step)
	if err != nil || w.step != verifyEmail {
		return flow.Registration{}, orUnexpected(err)
	}
	if wait := w.resendAt.Sub(e.now()); wait > 0 {
		return flow.Registration{}, &flow.Problem{Code: flow.CodeRateLimited, RetryAfter: wait}
	}
	w.resendAt = e.now().Add(2 * time.Minute)
	return e.view(w), nil
}

// Change leads back to the first step.
func (e *Engine) Change(ctx context.Context, t flow.Token, step string) (flow.Registration, error) {
	if err := e.begin(ctx); err != nil {
		return flow.Registration{}, err
	}
	defer e.mu.Unlock()
	w, err := e.at(t, step)
	if err != nil || w.step != verifyEmail {
		return flow.Registration{}, orUnexpected(err)
	}
	w.step = aboutYou
	return e.view(w), nil
}

// Abort forgets the registration.
func (e *Engine) Abort(ctx context.Context, t flow.Token) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.mu.Unlock()
	if _, err := e.load(t); err != nil {
		return err
	}
	delete(e.rows, t.Reveal())
	return nil
}

// Rows tells how many registrations there are.
func (e *Engine) Rows() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.rows)
}

func (e *Engine) begin(ctx context.Context) error {
	if e.Before != nil {
		if err := e.Before(ctx); err != nil {
			return err
		}
	}
	if e.Closed {
		return &flow.Problem{Code: flow.CodeDisabled}
	}
	e.mu.Lock()
	if e.rows == nil {
		e.rows = map[string]*row{}
	}
	return nil
}

func (e *Engine) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}

func (e *Engine) load(t flow.Token) (*row, error) {
	w, found := e.rows[t.Reveal()]
	if !found || e.now().After(w.expires) {
		return nil, &flow.Problem{Code: flow.CodeRegistrationGone}
	}
	return w, nil
}

func (e *Engine) at(t flow.Token, step string) (*row, error) {
	w, err := e.load(t)
	if err == nil && (stepNames[w.step] != step || step == "") {
		err = &flow.Problem{Code: flow.CodeUnexpectedStep}
	}
	return w, err
}

func (e *Engine) renew(w *row, old string) flow.Registration {
	delete(e.rows, old)
	random := make([]byte, 32)
	_, _ = rand.Read(random)
	token := base64.RawURLEncoding.EncodeToString(random)
	e.rows[token] = w
	view := e.view(w)
	view.Token = plugin.NewSecret(token)
	return view
}

func orUnexpected(err error) error {
	if err != nil {
		return err
	}
	return &flow.Problem{Code: flow.CodeUnexpectedStep}
}
