package doctor

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// String is the report as admins read it: a table of what was looked at, under each finding what to do, and a last line
// that sums up.
func (r Report) String() string {
	var b strings.Builder
	out := tabwriter.NewWriter(&b, 0, 1, 2, ' ', 0)
	failures, warnings := 0, 0
	for _, f := range r {
		switch f.Level {
		case Note:
		case Failure:
			failures++
		case Warning:
			warnings++
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", f.Level, f.Check, oneLine(f.Text))
		if f.Fix != "" {
			lines := strings.Split(f.Fix, "\n")
			fmt.Fprintf(out, " \t \tdo: %s\n", oneLine(lines[0]))
			for _, line := range lines[1:] {
				fmt.Fprintf(out, " \t \t    %s\n", oneLine(line))
			}
		}
	}
	_ = out.Flush() // into memory
	b.WriteString("\n")
	switch {
	case failures > 0:
		fmt.Fprintf(&b, "Flows cannot run here yet: %s, %s.\n", count(failures, "failure"), count(warnings, "warning"))
	case warnings > 0:
		fmt.Fprintf(&b, "Flows can run here: no failures, %s.\n", count(warnings, "warning"))
	default:
		b.WriteString("Flows can run here: nothing to do.\n")
	}
	return b.String()
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}
