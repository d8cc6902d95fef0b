package flowtest

import "github.com/narthex/narthex/internal/flow"

func (e *Engine) view(w *row) flow.Registration {
	r := flow.Registration{Flow: "standard", Title: "Create your account", Phase: w.phase, ExpiresAt: w.expires, Locale: w.locale}
	if w.phase == flow.PhaseCompleted {
		r.Username = e.Username
		if r.Username == "" {
			r.Username = "u7k2m9x4"
		}
		if e.LoginURL != "" {
			r.ContinueWith = []flow.Continuation{{Action: "login", URL: e.LoginURL}}
		}
		return r
	}
	s := flow.StepView{Name: stepNames[w.step], Kind: "data", Fields: e.fields(w), AttemptsLeft: -1}
	if w.step == verifyEmail {
		s.Kind, s.Target, s.ResendAfter = "verify-email", shorten(w.items["email"]), w.resendAt
		s.AttemptsLeft, s.CanChange = w.tries, true
	}
	r.Step = &s
	return r
}

func shorten(email string) string {
	for i, c := range email {
		if c == '@' && i > 0 {
			return email[:1] + "…" + email[i:]
		}
	}
	return "…"
}

func number(n int64) *int64 { return &n }

// fields of the current step.
func (e *Engine) fields(w *row) []flow.Field {
	switch w.step {
	case aboutYou:
		fields := []flow.Field{
			{Name: "email", Type: "email", Label: "Email address", Required: true, Autocomplete: "email", Max: number(254)},
			{Name: "given_name", Type: "string", Label: "First name", Required: true, Autocomplete: "given-name", Max: number(64)},
			{Name: "family_name", Type: "string", Label: "Last name", Required: true, Autocomplete: "family-name", Max: number(64)},
		}
		if e.AllTypes {
			fields = append(fields, []flow.Field{
				{Name: "phone", Type: "phone", Label: "Phone number", Autocomplete: "tel"},
				{Name: "born", Type: "date", Label: "Date of birth", Autocomplete: "bday", MinDate: "1900-01-01", MaxDate: "2020-12-31"},
				{Name: "size", Type: "integer", Label: "Shoe size", Min: number(20), Max: number(60)},
				{Name: "faculty", Type: "enum", Label: "Faculty", Options: []flow.Option{{Value: "law", Label: "Law"}, {Value: "arts", Label: "Fine arts"}}},
				{Name: "visit", Type: "datetime", Label: "First visit"},
				{Name: "news", Type: "boolean", Label: "Send me the newsletter"},
			}...)
		}
		for i := range fields {
			fields[i].Value = w.items[fields[i].Name]
		}
		return fields
	case verifyEmail:
		return []flow.Field{{Name: "code", Type: "code", Label: "Code", Required: true, Autocomplete: "one-time-code", Min: number(8), Max: number(8), Pattern: "[0-9]{8}"}}
	case password:
		return []flow.Field{{Name: "password", Type: "password", Label: "Password", Required: true, Autocomplete: "new-password", Min: number(15), Max: number(256)}}
	}
	return []flow.Field{}
}
