package flow

import "github.com/narthex/narthex/plugin"

// view is the registration as its client may see it.
func (t *trip) view() Registration {
	r := Registration{
		Flow: t.flow.Name, Title: t.flow.Title.In(t.record.Locale), Locale: t.record.Locale,
		Phase: PhaseOpen, ExpiresAt: t.row.ExpiresAt,
	}
	if t.row.IdleUntil.Before(r.ExpiresAt) {
		r.ExpiresAt = t.row.IdleUntil
	}
	if t.fresh {
		r.Token = plugin.NewSecret(t.token.Text())
	}
	switch {
	case t.completed():
		r.Phase, r.Username = PhaseCompleted, t.record.Username
		r.ContinueWith = t.continuations()
	case t.exhausted():
		r.Phase = PhaseAborted
	default:
		step := t.step.View(t.visit())
		step.Name, step.Kind = t.step.name, t.step.kind
		r.Step, r.Identifier = &step, t.identifier()
	}
	return r
}

// identifier is the first alias that the person has entered, else the username that the person has chosen.
func (t *trip) identifier() string {
	chosen := ""
	for _, s := range t.flow.Steps {
		for _, i := range s.Settings.supplies() {
			switch text := t.record.Values[i.Name].Text; {
			case text == "":
			case i.Alias:
				return text
			case i.Type == itemUsername:
				chosen = text
			}
		}
	}
	return chosen
}

// continuations tells where to go from here: back to where the person came from, and to the login.
func (t *trip) continuations() []Continuation {
	var ways []Continuation
	if t.record.ReturnTo != "" {
		ways = append(ways, Continuation{Action: "redirect", URL: t.record.ReturnTo})
	}
	if t.flow.loginURL != "" {
		ways = append(ways, Continuation{Action: "login", URL: t.flow.loginURL})
	}
	return ways
}
