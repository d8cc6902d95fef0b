package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// Config is what a dispatcher works with.
type Config struct {
	Definition *Definition
	// Enabled is false where nobody may register at all.
	Enabled bool
	Store   plugin.Backend
	Rows    Rows
	Keys    *seal.Keyring
	Rules   *identifier.Rules
	// Messenger composes and sends messages.
	Messenger Messenger
	// LoginURL is where a person can log in afterwards; may be empty.
	LoginURL string
	// Theme has the operator's own texts; may be nil.
	Theme fs.FS
	// Observer is told what happens; may be nil.
	Observer Observer
	Log      *slog.Logger
}

// Rows is what the engine needs of the state database.
type Rows interface {
	Now(ctx context.Context) (time.Time, error)
	Insert(ctx context.Context, row state.Row, messages ...state.Message) (state.Row, error)
	Load(ctx context.Context, locator []byte) (state.Row, error)
	Commit(ctx context.Context, row state.Row, messages ...state.Message) (state.Row, error)
	CountAttempt(ctx context.Context, locator []byte, step string, judge state.Judge) (state.Row, error)
	Uncount(ctx context.Context, row state.Row, takes ...state.Take) error
	Delete(ctx context.Context, row state.Row) error
	ClaimUnresolved(ctx context.Context, limit int) ([]state.Row, error)
}

// Messenger composes messages and sends them.
type Messenger interface {
	// Compose seals a message for the outbox.
	Compose(m Mail, locale string) (state.Message, error)
	// Enqueue is told, after the commit, what there is to send.
	Enqueue(messages ...state.Message)
}

// New makes the flows of a definition ready to run. A flow that needs what the store does not have is an error that
// names flow, step and item, all of them at once; see CheckStore.
func New(ctx context.Context, c Config) (*Dispatcher, error) {
	if c.Definition == nil || c.Rows == nil || c.Keys == nil || c.Rules == nil || c.Messenger == nil || c.Store.Persister == nil {
		return nil, errors.New("make the flows run: something is missing")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = unobserved{}
	}
	encodings, err := c.Definition.CheckStore(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	texts, err := NewTexts(c.Theme, c.Definition.Languages...)
	if err != nil {
		return nil, err
	}
	r := &runtime{
		rules: c.Rules, texts: texts, keys: c.Keys, lookup: c.Store.Lookup, encodings: encodings,
	}
	d := &Dispatcher{
		config: c, texts: texts, flows: map[string]*runningFlow{}, counted: map[string]bool{},
		runtime: r, budgets: budgets{c.Definition.Limits, c.Keys},
	}
	for _, f := range c.Definition.Flows {
		if d.flows[f.Name], err = r.run(f); err != nil {
			return nil, fmt.Errorf("flow %s: %w", f.Name, err)
		}
		d.flows[f.Name].loginURL = c.LoginURL
		for _, s := range d.flows[f.Name].steps {
			if _, is := s.Step.(Verification); is {
				d.counted[s.name] = true
			}
		}
	}
	return d, nil
}

// run makes a flow's steps.
func (r *runtime) run(f *Flow) (*runningFlow, error) {
	running := &runningFlow{Flow: f, texts: r.texts, limitKey: r.limitKey, blamed: map[string]blame{}, collectors: map[string]*runningStep{}}
	for _, definition := range f.Steps {
		step, err := definition.Settings.step(definition.Name, r)
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", definition.Name, err)
		}
		s := &runningStep{name: definition.Name, kind: definition.Kind, Step: step}
		running.steps = append(running.steps, s)
		for _, i := range definition.Settings.supplies() {
			running.collectors[i.Name] = s
			if attribute := i.blamedAs(); attribute != "" {
				if _, already := running.blamed[attribute]; !already {
					running.blamed[attribute] = blame{s, i}
				}
			}
		}
	}
	return running, nil
}

// blamedAs is the field that a store names when it refuses the item's value.
func (i *Item) blamedAs() string {
	if i.Type == ItemPassword {
		return plugin.PasswordField
	}
	return i.Attribute
}

// Flows tells which flows are offered, with titles in the language that fits the wish best.
func (d *Dispatcher) Flows(locale string) FlowList {
	list := FlowList{}
	if !d.config.Enabled {
		return list
	}
	locale = d.texts.Match(locale)
	for _, f := range d.config.Definition.Flows {
		if f.Open {
			list.Flows = append(list.Flows, FlowInfo{Name: f.Name, Title: f.Title.In(locale)})
		}
	}
	list.Enabled, list.Default = len(list.Flows) > 0, d.config.Definition.Default
	return list
}

// begin makes the trip of a new registration.
func (d *Dispatcher) begin(ctx context.Context, r StartRequest) (*trip, error) {
	if !d.config.Enabled {
		return nil, &Problem{Code: CodeDisabled}
	}
	name := r.Flow
	if name == "" {
		name = d.config.Definition.Default
	}
	f := d.flows[name]
	switch {
	case name == "" || f != nil && !f.Open:
		return nil, &Problem{Code: CodeDisabled}
	case f == nil:
		return nil, &Problem{Code: CodeUnknownFlow}
	}
	target, allowed := d.config.Definition.ReturnTo.target(r.ReturnTo)
	if r.ReturnTo != "" && !allowed {
		return nil, &Problem{Code: CodeInvalidInput, Violations: []Violation{
			d.texts.violation(d.texts.Match(r.Locale), "return_to", "return_to", nil),
		}}
	}
	token, err := seal.NewToken()
	if err != nil {
		return nil, err
	}
	now, err := d.now(ctx)
	if err != nil {
		return nil, err
	}
	tr := &trip{
		flow: f, token: token, fresh: true, now: now,
		row:    state.Row{Ref: randomID(), Flow: f.Name, Phase: state.PhaseOpen},
		record: &Record{Locale: d.texts.Match(r.Locale), ReturnTo: target},
	}
	return tr, d.budgets.start(ctx, &tr.row)
}

// now is the time by the state database's clock.
func (d *Dispatcher) now(ctx context.Context) (time.Time, error) {
	now, err := d.config.Rows.Now(ctx)
	return now, d.rowError(err)
}

// languageTag tells whether s names a language (BCP 47).
func languageTag(s string) bool {
	_, err := language.Parse(s)
	return err == nil
}
