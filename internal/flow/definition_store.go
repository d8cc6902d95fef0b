package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/plugin"
)

// CheckStore tells whether the store can keep what the flows collect, and how values are written there, by attribute.
// The error is a config.Faults that names flow, step and item of everything that does not fit, or the store's own error
// when it could not be asked.
func (d *Definition) CheckStore(ctx context.Context, store plugin.Backend) (map[string]plugin.Encoding, error) {
	uses := d.Uses()
	report, err := store.SchemaChecker.CheckSchema(ctx, uses)
	if err != nil {
		return nil, fmt.Errorf("check the flows against the store: %w", err)
	}
	var faults config.Faults
	for _, f := range report.Findings {
		faults = append(faults, d.storeFault(f))
	}
	encodings := report.Encodings
	if encodings == nil {
		encodings = map[string]plugin.Encoding{}
	}
	for _, u := range uses {
		if problem := misfit(u, encodings[u.Attribute], store.Description.ValueTypes); problem != "" && !reported(report, u) {
			faults = append(faults, d.storeFault(plugin.SchemaFinding{
				Item: u.Item, Flow: u.Flow, Step: u.Step, Attribute: u.Attribute,
				Problem: problem, Fix: "say with encode how the value is written as a string",
			}))
		}
	}
	if store.Authenticator != nil {
		faults = append(faults, d.withoutPassword()...)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return encodings, nil
}

// misfit says why a value of the use cannot be sent: what Describe does not list never is.
func misfit(u plugin.AttributeUse, e plugin.Encoding, known []plugin.ValueType) string {
	switch {
	case u.Attribute == "":
		return ""
	case !e.Fits(u.Type):
		return fmt.Sprintf("the store writes the attribute %q as %q, which is not for values of type %s", u.Attribute, e, u.Type)
	case e == plugin.EncodingNone && !slices.Contains(known, u.Type):
		return fmt.Sprintf("the store keeps no values of type %q", u.Type)
	}
	return ""
}

func reported(r plugin.SchemaReport, u plugin.AttributeUse) bool {
	return slices.ContainsFunc(r.Findings, func(f plugin.SchemaFinding) bool {
		return f.Item == u.Item && f.Flow == u.Flow && f.Step == u.Step
	})
}

// storeFault words a finding with its place in the flows file, or as one about the persister's own settings.
func (d *Definition) storeFault(f plugin.SchemaFinding) config.Fault {
	var path []string
	for _, part := range []struct{ before, name string }{{"flows.", f.Flow}, {"step ", f.Step}, {"item ", f.Item}, {"attribute ", f.Attribute}} {
		if part.name != "" {
			path = append(path, part.before+part.name)
		}
	}
	file := d.File
	if f.Flow == "" && f.Step == "" && f.Item == "" {
		file = "persister"
	}
	return config.Fault{File: file, Path: strings.Join(path, ", "), Problem: f.Problem, Fix: f.Fix}
}

// withoutPassword finds flows whose accounts nobody could log in to.
func (d *Definition) withoutPassword() config.Faults {
	var faults config.Faults
	for _, f := range d.Flows {
		has := false
		for _, s := range f.Steps {
			has = has || slices.ContainsFunc(s.Settings.supplies(), func(i *Item) bool { return i.Type == ItemPassword && i.Required })
		}
		if !has {
			faults = append(faults, d.storeFault(plugin.SchemaFinding{
				Flow:    f.Name,
				Problem: "the flow asks for no password, so that nobody could log in to its accounts",
				Fix:     "add an item of type password with required: true",
			}))
		}
	}
	return faults
}

// Uses lists everything that the flows mean to store.
func (d *Definition) Uses() []plugin.AttributeUse {
	var uses []plugin.AttributeUse
	for _, f := range d.Flows {
		password := false
		for _, s := range f.Steps {
			for _, i := range s.Settings.supplies() {
				if i.Attribute == "" && (i.Type != ItemPassword || password) {
					continue
				}
				password = password || i.Type == ItemPassword
				uses = append(uses, i.use(f, s))
			}
		}
	}
	return uses
}

func (i *Item) use(f *Flow, s *StepDefinition) plugin.AttributeUse {
	u := plugin.AttributeUse{
		Item: i.Name, Flow: f.Name, Step: s.Name, Attribute: i.Attribute, Type: valueTypes[i.Type],
		MaxBytes: i.maxBytes(), Required: i.Required, Encoding: i.Encode,
	}
	switch {
	case i.Type == itemUsername:
		u.Key = plugin.KindUsername
	case i.Unique:
		u.Key = plugin.KindUnique
	case i.Alias && i.Type == ItemEmail:
		u.Key = plugin.KindEmail
	case i.Alias:
		u.Key = plugin.KindPhone
	}
	if u.Type == "" {
		u.Type = plugin.TypeString
	}
	return u
}
