package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/narthex/narthex/plugin"
)

// PersistSettings are those of the persist step: it has none yet.
type PersistSettings struct{}

func (s *PersistSettings) supplies() []*Item { return nil }

func (s *PersistSettings) step(_ string, r *runtime) (Step, error) {
	return &persistStep{runtime: r}, nil
}

// persistStep puts the account together. It asks nothing: entered, it runs within the trip that leads to it, and an
// empty answer runs it again where that did not come to an end.
type persistStep struct{ *runtime }

// Done is never: a registration ends with this step.
func (s *persistStep) Done(*Record) bool { return false }

func (s *persistStep) Enter(_ context.Context, v Visit) (Effects, error) {
	draft, err := s.draft(v)
	if err != nil {
		return Effects{}, fmt.Errorf("put the account together: %w", err)
	}
	return Effects{Account: draft}, nil
}

func (s *persistStep) Answer(_ context.Context, _ Visit, a Answer) (Effects, error) {
	if len(a) > 0 {
		return Effects{}, malformed(errors.New("the answer has no members"))
	}
	return Effects{Wait: true}, nil
}

func (s *persistStep) View(Visit) StepView { return StepView{AttemptsLeft: -1} }

// draft is the account as the record has it. Whatever else led here, nobody's address goes in unproved.
func (s *persistStep) draft(v Visit) (*Draft, error) {
	d := &Draft{Attempt: newAttempt(), Attributes: plugin.Attributes{}}
	for _, step := range v.Flow.Steps {
		for _, i := range step.Settings.supplies() {
			if err := s.add(d, v, i); err != nil {
				return nil, fmt.Errorf("item %s: %w", i.Name, err)
			}
		}
	}
	return d, nil
}

func (s *persistStep) add(d *Draft, v Visit, i *Item) error {
	value, entered := v.Record.Values[i.Name]
	switch {
	case i.Type == itemUsername:
		key, err := s.key(i, plugin.StringValue(v.Record.Username))
		d.Keys = append(d.Keys, key)
		return err
	case i.Attribute == "" || !entered:
		return nil
	case i.isKey():
		if i.Alias && !v.Record.proves(i) {
			return errors.New("an alias that is not proved")
		}
		key, err := s.key(i, value)
		d.Keys = append(d.Keys, key)
		return err
	default:
		written, err := s.encodings[i.Attribute].Encode(value)
		d.Attributes[i.Attribute] = append(d.Attributes[i.Attribute], written)
		return err
	}
}

// account is the draft as one execution sends it.
func (d *Draft) account(password plugin.Secret) plugin.NewAccount {
	return plugin.NewAccount{Attempt: d.Attempt, Keys: d.Keys, Attributes: d.Attributes, Password: password}
}
