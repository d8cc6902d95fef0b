package model

import (
	"slices"
	"strings"
)

// Search is one exhaustive search of the model: a scenario, and switches that model.pml explains.
type Search struct {
	// Name says in words who acts, and which rule is broken, if one is.
	Name     string
	Scenario string
	Switches []string
}

// Broken says that the search has a rule broken on purpose, which it must find.
func (s Search) Broken() bool {
	return slices.ContainsFunc(s.Switches, func(d string) bool { return strings.HasPrefix(d, "BUG_") })
}

// String is the command line's view of the search.
func (s Search) String() string {
	return strings.Join(append([]string{s.Scenario}, s.Switches...), " ")
}

func (s Search) defines() []string {
	return append([]string{"SCENARIO=" + s.Scenario}, s.Switches...)
}

// of makes a search. Switches are separated by blanks.
func of(name, scenario, switches string) Search {
	return Search{Name: name, Scenario: scenario, Switches: strings.Fields(switches)}
}
