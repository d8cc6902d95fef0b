package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/narthex/narthex/plugin"
)

// judgement collects what is wrong with an answer.
type judgement struct {
	*runtime
	locale     string
	violations []Violation
}

func (j *judgement) add(field string, faults []fault) {
	for _, f := range faults {
		j.violations = append(j.violations, j.texts.violation(j.locale, field, f.code, f.data))
	}
}

// refuseUnknown refuses everything that the step does not ask for. A name is told back only when it could be one.
func (j *judgement) refuseUnknown(raw map[string]jsontext.Value, known []*Item) {
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if slices.ContainsFunc(known, func(i *Item) bool { return i.Name == name }) {
			continue
		}
		if !itemName.MatchString(name) {
			name = ""
		}
		j.add(name, faultOf("unknown"))
	}
}

// malformed is an answer that is not of the step's form.
func malformed(cause error) error { return &Problem{Code: CodeMalformed, Cause: cause} }

// decodeItems takes {"items": {name: value}} apart. Repeated names and invalid UTF-8 are refused.
func decodeItems(a Answer) (map[string]jsontext.Value, error) {
	raw, ok := a["items"]
	if !ok || len(a) != 1 {
		return nil, malformed(errors.New("the answer has the one member items"))
	}
	if jsontext.Value(raw).Kind() != '{' {
		return nil, malformed(errors.New("items is an object"))
	}
	var items map[string]jsontext.Value
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, malformed(fmt.Errorf("decode items: %w", withoutValues(err)))
	}
	return items, nil
}

// withoutValues keeps of a decoder's error only the place: its text may quote what was entered.
func withoutValues(err error) error {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return fmt.Errorf("not valid JSON at byte %d", syntactic.ByteOffset)
	}
	return errors.New("not valid JSON")
}

// refuseTaken looks up the values that only one account can have. Only flows without stealth may ask.
func (r *runtime) refuseTaken(ctx context.Context, locale string, items []*Item, values map[string]plugin.Value) error {
	j := judgement{runtime: r, locale: locale}
	for _, i := range items {
		v, entered := values[i.Name]
		if !i.isKey() || !entered {
			continue
		}
		taken, err := r.taken(ctx, i, v)
		if err != nil {
			return err
		}
		if taken {
			j.add(i.Name, faultOf(plugin.CodeTaken))
		}
	}
	if len(j.violations) > 0 {
		return &Problem{Code: CodeIdentifierTaken, Violations: j.violations}
	}
	return nil
}

// taken tells whether an account has the value.
func (r *runtime) taken(ctx context.Context, i *Item, v plugin.Value) (bool, error) {
	key, err := r.key(i, v)
	if err != nil {
		return false, err
	}
	_, err = r.lookup(ctx, key)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, plugin.ErrNotFound):
		return false, nil
	default:
		return false, unavailable(err, storePause)
	}
}
