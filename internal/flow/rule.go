package flow

// Rule is a rule over several items of one data step.
type Rule struct {
	// Kind is equal, different or at_least_one; it is also the code of the violation.
	Kind  string
	Items []*Item
}

// The kinds of rules.
const (
	ruleEqual      = "equal"
	ruleDifferent  = "different"
	ruleAtLeastOne = "at_least_one"
)

// holds checks the texts that were entered, by item. Absent and empty are the same; two absent values are equal, and
// not different from one another only where both were entered.
func (r Rule) holds(texts map[string]string) bool {
	switch r.Kind {
	case ruleEqual:
		for _, i := range r.Items[1:] {
			if texts[i.Name] != texts[r.Items[0].Name] {
				return false
			}
		}
		return true
	case ruleDifferent:
		seen := map[string]bool{}
		for _, i := range r.Items {
			text := texts[i.Name]
			if text != "" && seen[text] {
				return false
			}
			seen[text] = true
		}
		return true
	default:
		for _, i := range r.Items {
			if texts[i.Name] != "" {
				return true
			}
		}
		return false
	}
}
