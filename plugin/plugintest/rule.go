package plugintest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/narthex/narthex/plugin"
)

// TB is what a rule needs of the test it runs in; *testing.T is one. Fatalf and Skipf end the rule's goroutine, and only
// the rule's own goroutine calls them.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// rule is one demand of the contract.
type rule struct {
	name string // "Method/what is demanded"
	law  string // why, or the contract's own words: said once with a failure
	// needs lists the capabilities without which the rule says nothing.
	needs []plugin.Capability
	// inside marks a rule that holds the store up in the middle of a call, which works only in its own process.
	inside bool
	// groups marks a rule that puts accounts into groups.
	groups bool
	check  func(TB, *store)
}

// rules lists the whole suite.
func rules() []rule {
	return slices.Concat(
		describeRules(), createRules(), textRules(), keyRules(), attemptRules(), lateRules(), resolveRules(), overtakeRules(), raceRules(),
		lookupRules(), deleteRules(), authenticateRules(), likenessRules(), passwordRules(),
		updateRules(), attributeRules(), stateRules(), groupRules(), identifierRules(), holdRules(),
		listRules(), statusRules(), maintainRules(), schemaRules(), contextRules(), hygieneRules(),
	)
}

// Rules returns the names of all rules, in the order in which they run.
func Rules() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

// run judges a store by one rule and removes what the rule made.
func (r rule) run(t TB, s *store) {
	t.Helper()
	defer s.tidy(t)
	r.check(&judge{TB: t, law: r.law}, s)
}

// missing tells why the rule is not judged: what the store lacks, or what the connection to it cannot do, in words, or "".
func (r rule) missing(d plugin.Description, s settings) string {
	if r.inside && !s.direct {
		return "it holds a call up in the middle, which works only in the store's own process: plugintest.Run does that"
	}
	if r.groups && s.noGroups {
		return "the store has no groups"
	}
	for _, c := range r.needs {
		switch {
		case slices.Contains(d.Withheld, c):
			return fmt.Sprintf("the store withholds the capability %q", c)
		case !slices.Contains(d.Capabilities, c):
			return fmt.Sprintf("the store does not offer the capability %q", c)
		}
	}
	return ""
}

// judge adds the law to a rule's first complaint.
type judge struct {
	TB
	law  string
	once sync.Once
}

func (j *judge) Errorf(format string, args ...any) {
	j.Helper()
	j.TB.Errorf("%s", j.explain(format, args))
}

func (j *judge) Fatalf(format string, args ...any) {
	j.Helper()
	j.TB.Fatalf("%s", j.explain(format, args))
}

func (j *judge) explain(format string, args []any) string {
	text := fmt.Sprintf(format, args...)
	j.once.Do(func() { text += "\n    the rule: " + j.law })
	return text
}
