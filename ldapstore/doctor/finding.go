package doctor

import "slices"

// Level says how bad a finding is.
type Level string

// The levels.
const (
	// Failure: flows cannot run, or not safely.
	Failure Level = "FAIL"
	// Warning: something that the persister could do will not be offered, or is slow, or may fail later.
	Warning Level = "warn"
	// Note: good, or good to know.
	Note Level = "ok"
)

// Finding is one thing that was looked at.
type Finding struct {
	// Check is the part of the examination: "connection", "rights".
	Check string
	Level Level
	// Text says what was found. It may have the server's own words; it never has a password.
	Text string
	// Fix says what to do about it; empty for notes.
	Fix string
}

// Report is everything that was found, in the order of the examination.
type Report []Finding

// Worst is the level of the worst finding.
func (r Report) Worst() Level {
	worst := Note
	for _, f := range r {
		if f.Level == Failure || f.Level == Warning && worst == Note {
			worst = f.Level
		}
	}
	return worst
}

// Of returns the findings of one check that are at least warnings.
func (r Report) Of(check string) Report {
	return slices.DeleteFunc(slices.Clone(r), func(f Finding) bool { return f.Check != check || f.Level == Note })
}

func (r *Report) note(check, text string) {
	*r = append(*r, Finding{Check: check, Level: Note, Text: text})
}

func (r *Report) warn(check, text, fix string) {
	*r = append(*r, Finding{Check: check, Level: Warning, Text: text, Fix: fix})
}

func (r *Report) fail(check, text, fix string) {
	*r = append(*r, Finding{Check: check, Level: Failure, Text: text, Fix: fix})
}
