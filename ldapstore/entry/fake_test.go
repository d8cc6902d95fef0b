package entry_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/narthex/narthex/ldapstore/directory"
)

// memory is a directory that keeps what it is told, with the results of a real one for what entries are changed with here.
type memory struct {
	mu      sync.Mutex
	entries map[string][]directory.Attribute // by lower-case DN
	// before is called ahead of every operation, and after once it has happened; an error is its outcome.
	before, after func(name string) error
}

func newMemory() *memory { return &memory{entries: map[string][]directory.Attribute{}} }

func (m *memory) begin(name string) error {
	if m.before != nil {
		if err := m.before(name); err != nil {
			return err
		}
	}
	m.mu.Lock()
	return nil
}

// end is the outcome of an operation that has happened.
func (m *memory) end(name string) error {
	if m.after != nil {
		return m.after(name)
	}
	return nil
}

func refused(operation string, code uint16) error {
	return &directory.Error{Operation: operation, Code: code}
}

func (m *memory) Add(_ context.Context, dn directory.DN, attributes []directory.Attribute) error {
	if err := m.begin("add"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if _, there := m.entries[strings.ToLower(string(dn))]; there {
		return refused("add", directory.EntryAlreadyExists)
	}
	m.entries[strings.ToLower(string(dn))] = nil
	for _, a := range attributes {
		m.entries[strings.ToLower(string(dn))] = append(m.entries[strings.ToLower(string(dn))], directory.Attribute{Name: a.Name, Values: slices.Clone(a.Values)})
	}
	return nil
}

func (m *memory) Modify(_ context.Context, dn directory.DN, changes []directory.Change, _ directory.Filter) error {
	if err := m.begin("modify"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	attributes, there := m.entries[strings.ToLower(string(dn))]
	if !there {
		return refused("modify", directory.NoSuchObject)
	}
	changed := map[string][]string{}
	for _, a := range attributes {
		changed[a.Name] = slices.Clone(a.Values)
	}
	for _, c := range changes {
		if code := apply(changed, c); code != 0 {
			return refused("modify", code)
		}
	}
	var after []directory.Attribute
	for name, values := range changed {
		if len(values) > 0 {
			after = append(after, directory.Attribute{Name: name, Values: values})
		}
	}
	m.entries[strings.ToLower(string(dn))] = after
	return m.end("modify")
}

func apply(entry map[string][]string, c directory.Change) uint16 {
	switch c.Kind {
	case directory.ReplaceValues:
		entry[c.Name] = slices.Clone(c.Values)
	case directory.AddValues:
		for _, v := range c.Values {
			if slices.Contains(entry[c.Name], v) {
				return directory.AttributeOrValueExists
			}
			entry[c.Name] = append(entry[c.Name], v)
		}
	case directory.DeleteValues:
		for _, v := range c.Values {
			i := slices.Index(entry[c.Name], v)
			if i < 0 {
				return directory.NoSuchAttribute
			}
			entry[c.Name] = slices.Delete(entry[c.Name], i, i+1)
		}
	}
	return 0
}

func (m *memory) Read(_ context.Context, dn directory.DN, _ ...string) (directory.Entry, error) {
	if err := m.begin("read"); err != nil {
		return directory.Entry{}, err
	}
	defer m.mu.Unlock()
	attributes, there := m.entries[strings.ToLower(string(dn))]
	if !there {
		return directory.Entry{}, refused("read", directory.NoSuchObject)
	}
	return directory.Entry{DN: dn, Attributes: slices.Clone(attributes)}, nil
}

// Search returns the entries that have one of the values of an Or of Equals.
func (m *memory) Search(_ context.Context, _ directory.DN, _ directory.Scope, filter directory.Filter, _ int, _ ...string) ([]directory.Entry, error) {
	if err := m.begin("search"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var found []directory.Entry
	for dn, attributes := range m.entries {
		if slices.ContainsFunc(attributes, func(a directory.Attribute) bool {
			return slices.ContainsFunc(a.Values, func(v string) bool { return strings.Contains(filter.String(), "("+a.Name+"="+v+")") })
		}) {
			found = append(found, directory.Entry{DN: directory.DN(dn), Attributes: attributes})
		}
	}
	return found, nil
}

func (m *memory) Increment(_ context.Context, dn directory.DN, attribute string, by int64) (int64, error) {
	if err := m.begin("increment"); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	attributes, there := m.entries[strings.ToLower(string(dn))]
	if !there {
		return 0, refused("increment", directory.NoSuchObject)
	}
	for i, a := range attributes {
		if a.Name == attribute {
			n, err := strconv.ParseInt(a.Values[0], 10, 64)
			attributes[i].Values = []string{strconv.FormatInt(n+by, 10)}
			return n, errors.Join(err, m.end("increment"))
		}
	}
	return 0, refused("increment", directory.NoSuchAttribute)
}

func (m *memory) Move(context.Context, directory.DN, directory.DN, bool, directory.Filter) error {
	return refused("move", directory.UnwillingToPerform)
}

func (m *memory) Delete(context.Context, directory.DN) error {
	return refused("delete", directory.UnwillingToPerform)
}

func (m *memory) SetPassword(context.Context, directory.DN, string) error {
	return refused("password", directory.UnwillingToPerform)
}
