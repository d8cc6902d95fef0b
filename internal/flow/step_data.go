package flow

import (
	"context"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/narthex/narthex/plugin"
)

// DataSettings are those of a data step: it asks for items.
type DataSettings struct {
	Items []*Item
	Rules []Rule
}

func (s *DataSettings) supplies() []*Item { return s.Items }

func (s *DataSettings) step(name string, r *runtime) (Step, error) {
	return &dataStep{DataSettings: s, name: name, runtime: r}, nil
}

type dataStep struct {
	*DataSettings
	*runtime
	name string
}

// Done asks for the required values themselves, so that a changed flows file leads back here.
func (s *dataStep) Done(r *Record) bool {
	return r.Done[s.name] && !slices.ContainsFunc(s.Items, func(i *Item) bool { return i.Required && !r.has(i) })
}

func (s *dataStep) Enter(context.Context, Visit) (Effects, error) { return Effects{Wait: true}, nil }

// Answer judges every item before it says anything, so that one answer tells everything that is wrong.
func (s *dataStep) Answer(ctx context.Context, v Visit, a Answer) (Effects, error) {
	raw, err := decodeItems(a)
	if err != nil {
		return Effects{}, err
	}
	entered, violations := s.judge(v.Record, raw)
	if len(violations) > 0 {
		return Effects{}, &Problem{Code: CodeInvalidInput, Violations: violations}
	}
	if !v.Flow.Stealth {
		if err := s.refuseTaken(ctx, v.Record.Locale, s.Items, entered.Values); err != nil {
			return Effects{}, err
		}
	}
	return Effects{Entered: entered}, nil
}

// judge checks every item, unknown ones, and the rules over several items.
func (s *dataStep) judge(r *Record, raw map[string]jsontext.Value) (*Entered, []Violation) {
	j := judgement{runtime: s.runtime, locale: r.Locale}
	entered := &Entered{Items: s.Items, Values: map[string]plugin.Value{}}
	passwords := map[string]string{}
	for _, i := range s.Items {
		value, given := raw[i.Name]
		switch {
		case !given:
			j.add(i.Name, i.missing())
		case i.Type == ItemPassword:
			text, faults := textOf(value)
			if faults == nil && text == "" {
				faults = i.missing()
			}
			j.add(i.Name, faults)
			passwords[i.Name] = text
		default:
			v, present, faults := i.judge(s.rules, value)
			j.add(i.Name, faults)
			if present && len(faults) == 0 {
				entered.Values[i.Name] = v
			}
		}
	}
	j.refuseUnknown(raw, s.Items)
	s.judgePassword(&j, r, entered, passwords)
	s.judgeRules(&j, entered.Values, passwords)
	return entered, j.violations
}

// judgePassword checks the password of the account; its repetition only has to be equal.
func (s *dataStep) judgePassword(j *judgement, r *Record, entered *Entered, passwords map[string]string) {
	item := s.password()
	if item == nil || passwords[item.Name] == "" {
		return
	}
	prepared, faults := item.judgePassword(s.rules, passwords[item.Name], passwordContext(r, entered.Values))
	j.add(item.Name, faults)
	entered.Password = prepared
}

// password returns the item that becomes the account's password: the first of its type.
func (s *DataSettings) password() *Item {
	for _, i := range s.Items {
		if i.Type == ItemPassword {
			return i
		}
	}
	return nil
}

func (s *dataStep) judgeRules(j *judgement, values map[string]plugin.Value, passwords map[string]string) {
	texts := maps.Clone(passwords)
	for name, v := range values {
		texts[name] = v.Text
	}
	for _, rule := range s.Rules {
		if !rule.holds(texts) {
			j.add("", faultOf(rule.Kind))
		}
	}
}

// View shows the fields with what was entered before; never a password.
func (s *dataStep) View(v Visit) StepView {
	view := StepView{AttemptsLeft: -1}
	for _, i := range s.Items {
		f := i.field(s.texts, v.Record.Locale)
		f.Value = v.Record.Values[i.Name].Text
		view.Fields = append(view.Fields, f)
	}
	return view
}
