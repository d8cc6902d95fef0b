package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Entry is one key of a mapping with its value.
type Entry struct {
	Key string
	// At is the place of the key, for faults about the name.
	At    *Node
	Value *Node
}

// Entries reads a mapping whose keys are free, in the document's order. Keys that ParseYAML has refused are left out.
func (n *Node) Entries() []Entry {
	m, ok := n.node.(ast.MapNode)
	if !ok {
		if !n.Null() {
			n.wrongKind("a mapping")
		}
		return nil
	}
	var entries []Entry
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next(); {
		key, isText := it.Key().(*ast.StringNode)
		if !isText || seen[key.Value] {
			continue
		}
		seen[key.Value] = true
		entries = append(entries, Entry{Key: key.Value, At: n.at(key, key), Value: n.at(key, it.Value())})
	}
	return entries
}

// Mapping reads a mapping whose keys are known. Ask for each key, then call Done, which adds a fault for every key that
// nobody asked for.
type Mapping struct {
	node  *Node
	left  []Entry
	asked []string
}

// Mapping begins to read a mapping; an empty node is an empty one.
func (n *Node) Mapping() *Mapping { return &Mapping{node: n, left: n.Entries()} }

// Node returns the mapping's own place.
func (m *Mapping) Node() *Node { return m.node }

// Get returns the value of a key, or nil where the document has none.
func (m *Mapping) Get(key string) *Node {
	m.asked = append(m.asked, key)
	for i, e := range m.left {
		if e.Key == key {
			m.left = slices.Delete(m.left, i, i+1)
			return e.Value
		}
	}
	return nil
}

// Need is Get with a fault where the document has no such key.
func (m *Mapping) Need(key string) *Node {
	n := m.Get(key)
	if n == nil {
		m.node.Fault(fmt.Sprintf("the key %q is missing", key), fmt.Sprintf("add %q", key+": …"))
	}
	return n
}

// Str reads an optional text.
func (m *Mapping) Str(key, absent string) string {
	if n := m.Get(key); n != nil {
		return n.Str()
	}
	return absent
}

// Bool reads an optional true or false.
func (m *Mapping) Bool(key string, absent bool) bool {
	if n := m.Get(key); n != nil {
		return n.Bool()
	}
	return absent
}

// Int reads an optional whole number between low and high.
func (m *Mapping) Int(key string, absent, low, high int64) int64 {
	if n := m.Get(key); n != nil {
		return n.Int(low, high)
	}
	return absent
}

// Duration reads an optional time span between low and high.
func (m *Mapping) Duration(key string, absent, low, high time.Duration) time.Duration {
	if n := m.Get(key); n != nil {
		return n.Duration(low, high)
	}
	return absent
}

// Strings reads an optional list of texts.
func (m *Mapping) Strings(key string) []string {
	if n := m.Get(key); n != nil {
		return n.Strings()
	}
	return nil
}

// Done adds a fault for every key that nobody asked for.
func (m *Mapping) Done() {
	for _, e := range m.left {
		fix := "remove it; known here: " + strings.Join(m.asked, ", ")
		if like := Nearest(e.Key, m.asked); like != "" {
			fix = fmt.Sprintf("did you mean %q? Known here: %s", like, strings.Join(m.asked, ", "))
		}
		e.At.Fault(fmt.Sprintf("unknown key %q", short(e.Key)), fix)
	}
}
