package flow

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/narthex/narthex/plugin"
)

// usernameItem is the name of the field of a username that the person chooses.
const usernameItem = "username"

// UsernameSettings are those of a username step: it draws a username, or asks for one.
type UsernameSettings struct {
	// Generate is uuid or a pattern; empty: the person chooses.
	Generate string
	// Item describes the field, and says which attribute stores the username.
	Item *Item

	generator *generator
}

func (s *UsernameSettings) supplies() []*Item { return []*Item{s.Item} }

func (s *UsernameSettings) step(name string, r *runtime) (Step, error) {
	return &usernameStep{UsernameSettings: s, name: name, runtime: r}, nil
}

type usernameStep struct {
	*UsernameSettings
	*runtime
	name string
}

func (s *usernameStep) Done(r *Record) bool { return r.Done[s.name] && r.Username != "" }

func (s *usernameStep) Enter(context.Context, Visit) (Effects, error) {
	if s.generator == nil {
		return Effects{Wait: true}, nil
	}
	name, err := s.generator.draw()
	if err != nil {
		return Effects{}, err
	}
	id, err := s.rules.Generated(name)
	if err != nil {
		return Effects{}, fmt.Errorf("step %s: %q draws no usernames: %w", s.name, s.Generate, err)
	}
	return Effects{Username: id.Value}, nil
}

func (s *usernameStep) Answer(ctx context.Context, v Visit, a Answer) (Effects, error) {
	raw, err := decodeItems(a)
	if err != nil {
		return Effects{}, err
	}
	j := judgement{runtime: s.runtime, locale: v.Record.Locale}
	text := s.judge(&j, raw)
	if len(j.violations) > 0 {
		return Effects{}, &Problem{Code: CodeInvalidInput, Violations: j.violations}
	}
	if !v.Flow.Stealth {
		values := map[string]plugin.Value{usernameItem: plugin.StringValue(text)}
		if err := s.refuseTaken(ctx, v.Record.Locale, []*Item{s.Item}, values); err != nil {
			return Effects{}, err
		}
	}
	return Effects{Username: text}, nil
}

func (s *usernameStep) judge(j *judgement, raw map[string]jsontext.Value) string {
	j.refuseUnknown(raw, []*Item{s.Item})
	value, given := raw[usernameItem]
	if !given {
		j.add(usernameItem, faultOf("required"))
		return ""
	}
	text, faults := textOf(value)
	if faults == nil && text == "" {
		faults = faultOf("required")
	}
	if faults == nil {
		id, err := s.rules.Username(text)
		text, faults = id.Value, identifierFaults(id, err)
	}
	j.add(usernameItem, faults)
	return text
}

func (s *usernameStep) View(v Visit) StepView {
	f := s.Item.field(s.texts, v.Record.Locale)
	f.Value = v.Record.Username
	return StepView{Fields: []Field{f}, AttemptsLeft: -1}
}
