package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/narthex/narthex/internal/flow"
)

// field is an input as the template draws it.
type field struct {
	T               words
	ID, Name, Label string
	Control         string // input, select or checkbox
	Type            string // of an input
	Class           string
	Value           string
	Checked         bool
	Required        bool
	Autofocus       bool
	Autocomplete    string
	InputMode       string
	Plain           bool // no capitals, no spelling help
	MinLength       string
	MaxLength       string
	Min, Max        string
	Pattern         string
	Options         []option
	Hint            string
	Errors          []string
	DescribedBy     string
}

type option struct {
	Value, Label string
	Selected     bool
}

func fieldID(name string) string { return "field-" + name }

func newField(t words, f flow.Field, filled form) field {
	v := field{
		T: t, ID: fieldID(f.Name), Name: f.Name, Label: f.Label, Control: "input", Type: "text", Value: f.Value,
		Required: f.Required, Autocomplete: f.Autocomplete, Pattern: f.Pattern,
	}
	if filled.values != nil {
		v.Value = filled.values[f.Name]
	}
	v.shape(t, f)
	if filled.problem != nil {
		v.blame(t, f, filled.problem)
	}
	var about []string
	if v.Hint != "" {
		about = append(about, v.ID+"-hint")
	}
	if len(v.Errors) > 0 {
		about = append(about, v.ID+"-error")
	}
	v.DescribedBy = strings.Join(about, " ")
	return v
}

// shape picks the control for a type of field, and what a browser can check of it by itself. Lengths of passwords and
// codes are left to the engine: a browser would cut what is pasted without a word.
func (v *field) shape(t words, f flow.Field) {
	switch f.Type {
	case "string":
		v.MinLength, v.MaxLength = digits(f.Min), digits(f.Max)
	case "username":
		v.Plain, v.MaxLength = true, digits(f.Max)
		v.autofill("username")
	case "email":
		v.Type, v.InputMode, v.Plain, v.MaxLength = "email", "email", true, digits(f.Max)
		v.autofill("email")
	case "phone":
		v.Type, v.InputMode, v.Hint = "tel", "tel", t.Say("hint_phone")
		v.autofill("tel")
	case "code":
		v.InputMode, v.Class, v.Plain, v.Value, v.Pattern = "numeric", "code", true, "", ""
		if f.Min != nil && f.Max != nil && *f.Min == *f.Max {
			v.Hint = t.Count("hint_code", int(*f.Max))
		}
	case "password":
		v.Type, v.Value, v.Pattern, v.MinLength = "password", "", "", digits(f.Min)
		v.autofill("new-password")
		if f.Min != nil {
			v.Hint = t.Count("hint_password", int(*f.Min))
		}
	case "integer":
		// Not type "number": it loses what it cannot read, and scrolling over it changes it.
		if f.Min != nil && *f.Min >= 0 {
			v.InputMode = "numeric"
		}
		if f.Min != nil && f.Max != nil {
			v.Hint = t.With("hint_between", "Min", *f.Min, "Max", *f.Max)
		}
	case "date":
		v.Type, v.Min, v.Max = "date", f.MinDate, f.MaxDate
	case "datetime":
		v.Type, v.Hint, v.Value = "datetime-local", t.Say("utc"), strings.TrimSuffix(v.Value, "Z")
		v.Min, v.Max = strings.TrimSuffix(f.MinDate, "Z"), strings.TrimSuffix(f.MaxDate, "Z")
	case "boolean":
		v.Control, v.Checked = "checkbox", v.Value == "true"
	case "enum":
		v.Control = "select"
		for _, o := range f.Options {
			v.Options = append(v.Options, option{o.Value, o.Label, o.Value == v.Value})
		}
	}
}

// autofill names what a browser may fill in, where the flow does not say so itself.
func (v *field) autofill(token string) {
	if v.Autocomplete == "" {
		v.Autocomplete = token
	}
}

// blame puts what is wrong next to the field.
func (v *field) blame(t words, f flow.Field, p *flow.Problem) {
	for _, violation := range p.Violations {
		if violation.Field == f.Name {
			v.Errors = append(v.Errors, violation.Message)
		}
	}
	if p.Code == flow.CodeWrongCode && f.Type == "code" {
		v.Errors = append(v.Errors, t.Say("wrong_code")+" "+t.Count("tries_left", p.AttemptsLeft))
	}
}

// focusFirst puts the cursor where the typing begins.
func focusFirst(fields []field) {
	if len(fields) > 0 {
		fields[0].Autofocus = true
	}
}

// managed tells whether a password manager needs to be told which account the fields are for.
func managed(fields []flow.Field) bool {
	password := slices.ContainsFunc(fields, func(f flow.Field) bool { return f.Type == "password" })
	named := slices.ContainsFunc(fields, func(f flow.Field) bool { return f.Type == "email" || f.Type == "username" })
	return password && !named
}

func digits(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
