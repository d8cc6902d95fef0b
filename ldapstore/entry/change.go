package entry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// AttributeChanges returns a change of attributes as one Modify. e is the entry as it was read just before: a difference to
// what the change replaces is ErrConflict; one that comes later is refused by the server, because the values read are
// deleted by name. What people may not change is ErrInvalid in a *FieldError.
func (s *Settings) AttributeChanges(c map[string]plugin.AttributeChange, e directory.Entry) ([]directory.Change, error) {
	var changes []directory.Change
	for _, name := range sortedNames(c) {
		attribute, stored := s.DirectoryAttribute(name)
		if !stored || !s.open(attribute) || strings.EqualFold(attribute, s.People.RDN.Attribute) {
			return nil, fmt.Errorf("change an entry: %w", plugin.Refused(name, plugin.CodeReadOnly))
		}
		was, err := texts(name, c[name].Old)
		if err != nil {
			return nil, err
		}
		becomes, err := texts(name, c[name].New)
		if err != nil {
			return nil, err
		}
		have := e.Values(attribute)
		if !sameSet(have, was) {
			return nil, fmt.Errorf("change an entry: %w", plugin.ErrConflict)
		}
		if len(becomes) == 0 && listed(s.must, attribute) {
			return nil, fmt.Errorf("change an entry: %w", plugin.Refused(name, plugin.CodeInvalid))
		}
		if s.Kind == directory.ActiveDirectory { // it adds no value that the same Modify has deleted: see FencedByMark
			was, becomes = minus(was, becomes), minus(becomes, was)
		}
		changes = append(changes, swap(attribute, was, becomes)...)
	}
	return changes, nil
}

// FencedByMark tells whether a change of attributes must replace the mark as well: where values that stay cannot be swapped
// for themselves, only the mark shows that nobody else has changed the entry.
func (s *Settings) FencedByMark() bool { return s.Kind == directory.ActiveDirectory }

func minus(values, others []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return slices.Contains(others, v) })
}

// MarkChanges replaces the mark that was read by that of a run. A change that comes late finds another mark and is refused.
func (s *Settings) MarkChanges(e directory.Entry, run string) []directory.Change {
	have := e.Values(s.Mark)
	return swap(s.Mark, have, []string{run})
}

// swap deletes what is there and adds what shall be: a compare-and-swap on every server.
func swap(attribute string, from, to []string) []directory.Change {
	var changes []directory.Change
	if len(from) > 0 {
		changes = append(changes, directory.Change{Kind: directory.DeleteValues, Attribute: directory.Attribute{Name: attribute, Values: from}})
	}
	if len(to) > 0 {
		changes = append(changes, directory.Change{Kind: directory.AddValues, Attribute: directory.Attribute{Name: attribute, Values: to}})
	}
	return changes
}

func texts(name string, values []plugin.Value) ([]string, error) {
	var all []string
	for _, v := range values {
		if v.Type != plugin.TypeString || v.Text == "" || v.Validate() != nil {
			return nil, fmt.Errorf("change an entry: %w", plugin.Refused(name, plugin.CodeInvalid))
		}
		all = append(all, v.Text)
	}
	return all, nil
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func replace(attribute string, values ...string) directory.Change {
	return directory.Change{Kind: directory.ReplaceValues, Attribute: directory.Attribute{Name: attribute, Values: values}}
}
