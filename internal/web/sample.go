package web

import (
	"time"

	"github.com/narthex/narthex/internal/flow"
)

// sample is a page in one of its states, as it is looked at once before the first person does.
type sample struct {
	template string
	data     any
	fields   []string // that a person must be able to fill in
	actions  []string // that forms must be posted to
}

const (
	sampleFlow = "standard"
	samplePath = "/register/" + sampleFlow
)

// samples are all pages, each in its states.
func (p *Pages) samples(t words) []sample {
	base := func(title string) page { return p.page(t, sampleFlow, title) }
	intro := introPage{page: base("x"), Others: []flow.FlowInfo{{Name: "other", Title: "x"}}}
	intro.ReturnTo = "/x"
	failed := p.page(t, "", t.Say("internal_title"))
	failed.RequestID = "0123456789abcdef01234567"
	completed := flow.Registration{Flow: sampleFlow, Username: "u7k2m9x4"}
	leading := completed
	leading.ContinueWith = []flow.Continuation{{Action: "redirect", URL: "/x"}, {Action: "login", URL: "https://login.example.org/"}}
	all := []sample{
		{"intro.html", intro, nil, []string{samplePath}},
		{"intro.html", introPage{page: base("x")}, nil, []string{samplePath}},
		{"done.html", done(base(""), completed), nil, nil},
		{"done.html", done(base(""), leading), nil, nil},
		{"pending.html", overPage{base(t.Say("pending_title")), t.Say("pending_lead")}, nil, nil},
		{"over.html", overPage{base(t.Say("over_gone_title")), t.Say("over_gone_lead")}, nil, []string{samplePath}},
		{"notice.html", noticePage{p.page(t, "", t.Say("disabled_title")), t.Say("disabled_lead"), false}, nil, nil},
		{"notice.html", noticePage{failed, t.Say("internal_lead"), true}, nil, nil},
	}
	for _, reg := range p.sampleSteps() {
		for _, filled := range sampleAnswers(*reg.Step) {
			s := sample{"step.html", p.step(base(reg.Title), reg, filled, true), nil, []string{samplePath + "/steps/" + reg.Step.Name}}
			for _, f := range reg.Step.Fields {
				s.fields = append(s.fields, f.Name)
			}
			all = append(all, s)
		}
	}
	return all
}

// sampleSteps are registrations at every kind of step, with every type of field.
func (p *Pages) sampleSteps() (all []flow.Registration) {
	n := int64(8)
	about := flow.StepView{Name: "about-you", Kind: "data", AttemptsLeft: -1}
	for _, kind := range []string{"string", "boolean", "date", "datetime", "integer", "enum", "email", "phone", "username"} {
		for _, suffix := range []string{"", "_optional"} {
			about.Fields = append(about.Fields, flow.Field{Name: kind + suffix, Type: kind, Label: kind, Required: suffix == "", Min: &n, Max: &n,
				MinDate: "1900-01-01", MaxDate: "2020-12-31", Pattern: "[a-z]*", Autocomplete: "off", Options: []flow.Option{{Value: "x", Label: "X"}}, Value: "x"})
		}
	}
	code := []flow.Field{{Name: "code", Type: "code", Label: "Code", Required: true, Autocomplete: "one-time-code", Min: &n, Max: &n}}
	steps := []flow.StepView{
		about,
		{Name: "verify-email", Kind: "verify-email", Fields: code, Target: "a…@example.org", ResendAfter: p.now().Add(time.Minute), AttemptsLeft: 5, CanChange: true},
		{Name: "verify-email", Kind: "verify-email", Fields: code, Target: "a…@example.org", ResendAfter: p.now(), AttemptsLeft: 1},
		{Name: "verify-email", Kind: "verify-email", Fields: code, Target: "a…@example.org", AttemptsLeft: 1},
		{Name: "username", Kind: "username", Fields: []flow.Field{{Name: "username", Type: "username", Label: "Username", Required: true}}, AttemptsLeft: -1},
		{Name: "password", Kind: "data", Fields: []flow.Field{{Name: "password", Type: "password", Label: "Password", Required: true, Min: &n}}, AttemptsLeft: -1},
		{Name: "persist", Kind: "persist", AttemptsLeft: -1},
	}
	for _, s := range steps {
		all = append(all, flow.Registration{Flow: sampleFlow, Title: "x", Phase: flow.PhaseOpen, Step: &s})
	}
	return all
}

// sampleAnswers are what can be wrong with an answer: nothing, a field, the code, something that is no field.
func sampleAnswers(s flow.StepView) []form {
	var wrong []flow.Violation
	for _, f := range s.Fields {
		wrong = append(wrong, flow.Violation{Field: f.Name, Code: "required", Message: "x"})
	}
	all := []form{{}}
	for _, problem := range []flow.Problem{
		{Code: flow.CodeInvalidInput, Violations: wrong}, {Code: flow.CodeWrongCode, AttemptsLeft: 3}, {Code: flow.CodeUnavailable, RetryAfter: time.Hour},
	} {
		all = append(all, form{step: s.Name, values: map[string]string{}, problem: &problem})
	}
	return all
}
