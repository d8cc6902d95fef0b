package web

import (
	"math"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

// summary lists everything that is wrong, in words, at the top of the page.
func summary(t words, s flow.StepView, p *flow.Problem) []fault {
	if p == nil {
		return nil
	}
	switch p.Code {
	case flow.CodeWrongCode:
		text := t.Say("wrong_code") + " " + t.Count("tries_left", p.AttemptsLeft)
		if len(s.Fields) > 0 {
			return []fault{{Field: fieldID(s.Fields[0].Name), Text: text}}
		}
		return []fault{{Text: text}}
	case flow.CodeRateLimited:
		return []fault{{Text: waiting(t, "problem", p.RetryAfter)}}
	case flow.CodeUnavailable:
		return []fault{{Text: t.Say("busy_lead") + " " + waiting(t, "again", p.RetryAfter)}}
	case flow.CodeMalformed:
		return []fault{{Text: t.Say("problem_malformed")}}
	default:
		return blamed(t, s, p)
	}
}

// blamed lists what is wrong with fields.
func blamed(t words, s flow.StepView, p *flow.Problem) []fault {
	var faults []fault
	for _, v := range p.Violations {
		f := fault{Text: v.Message}
		for _, field := range s.Fields {
			if field.Name == v.Field {
				f.Field, f.Label = fieldID(field.Name), field.Label
			}
		}
		faults = append(faults, f)
	}
	if len(faults) > 0 {
		return faults
	}
	if p.Code == flow.CodeIdentifierTaken {
		return []fault{{Text: t.Say("problem_identifier_taken")}}
	}
	return []fault{{Text: t.Say("problem_malformed")}}
}

// waiting tells a waiting time in seconds, from two minutes on in minutes, and from two hours on in hours; never too
// short.
func waiting(t words, id string, wait time.Duration) string {
	up := func(n float64) int { return max(1, int(math.Ceil(n))) }
	switch {
	case wait <= 2*time.Minute:
		return t.Count(id+"_seconds", up(wait.Seconds()))
	case wait <= 2*time.Hour:
		return t.Count(id+"_minutes", up(wait.Minutes()))
	default:
		return t.Count(id+"_hours", up(wait.Hours()))
	}
}
