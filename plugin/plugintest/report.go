package plugintest

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/narthex/narthex/plugin"
)

// Print writes the report as a table for people, with the reasons below the rule that they belong to.
func (r Report) Print(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "store         %s %s (contract %d)\n", r.Store.Name, r.Store.Version, r.Store.Contract)
	fmt.Fprintf(&out, "value types   %s\n", join(r.Store.ValueTypes))
	fmt.Fprintf(&out, "capabilities  %s\n", join(r.Store.Capabilities))
	if len(r.Store.Withheld) > 0 {
		fmt.Fprintf(&out, "withheld      %s\n", join(r.Store.Withheld))
	}
	width, method := 0, ""
	for _, one := range r.Results {
		width = max(width, utf8.RuneCountInString(demand(one.Rule)))
	}
	counts := map[Outcome]int{}
	for _, one := range r.Results {
		counts[one.Outcome]++
		if m, _, _ := strings.Cut(one.Rule, "/"); m != method {
			method = m
			fmt.Fprintf(&out, "\n%s\n", method)
		}
		fmt.Fprintf(&out, "  %-*s  %-7s  %s\n", width, demand(one.Rule), word(one.Outcome), took(one.Took))
		for _, reason := range one.Reasons {
			fmt.Fprintf(&out, "      %s\n", strings.ReplaceAll(reason, "\n", "\n      "))
		}
	}
	fmt.Fprintf(&out, "\n%d passed, %d failed, %d skipped\n", counts[Passed], counts[Failed], counts[Skipped])
	_, err := io.WriteString(w, out.String())
	return err
}

// demand is a rule's name without the method.
func demand(rule string) string {
	_, after, _ := strings.Cut(rule, "/")
	return after
}

// word makes failures stand out.
func word(o Outcome) string {
	switch o {
	case Passed:
		return "ok"
	case Failed:
		return "FAILED"
	default:
		return string(o)
	}
}

func took(d time.Duration) string {
	if d < time.Millisecond {
		return ""
	}
	return d.Round(time.Millisecond).String()
}

func join[S plugin.ValueType | plugin.Capability](names []S) string {
	if len(names) == 0 {
		return "none"
	}
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}
