package flow

import (
	_ "embed" // the default flows
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/narthex/narthex/internal/config"
)

//go:embed default.yaml
var defaultFlows []byte

// DefaultFile is the name that messages give the built-in flows.
const DefaultFile = "built-in flows"

// ReadDefault reads the built-in flows, by the same code as every file.
func ReadDefault() (*Definition, error) { return ReadDefinition(DefaultFile, defaultFlows) }

// ReadDefinition reads and checks a flows file. The error is a config.Faults with everything that is wrong. What
// depends on the store is checked by CheckStore.
func ReadDefinition(file string, data []byte) (*Definition, error) {
	top, err := config.ParseYAML(file, data)
	if err != nil {
		return nil, err
	}
	r := &reader{
		def:       &Definition{File: file, Items: map[string]*Item{}},
		places:    map[any]*config.Node{},
		languages: map[string]bool{},
	}
	m := top.Mapping()
	r.readItems(m.Get("items"))
	r.readFlows(m.Need("flows"))
	r.readDefault(top, m.Get("default"))
	r.readLimits(m.Get("limits"))
	r.readIdentifiers(m.Get("identifiers"))
	r.readReturns(m.Get("return_to"))
	m.Done()
	r.checkUse()
	if err := top.Err(); err != nil {
		return nil, err
	}
	r.def.Languages = slices.Sorted(maps.Keys(r.languages))
	return r.def, nil
}

// reader turns the file into a definition, and remembers where everything stands.
type reader struct {
	def       *Definition
	places    map[any]*config.Node
	languages map[string]bool
}

func (r *reader) readItems(n *config.Node) {
	if n == nil {
		return
	}
	for _, e := range n.Entries() {
		checkName(e.At, e.Key, itemName, reservedItems)
		i := r.readItem(e.Key, e.Value)
		r.def.Items[e.Key] = i
		r.places[i] = e.At
	}
}

func (r *reader) readFlows(n *config.Node) {
	if n == nil {
		return
	}
	entries := n.Entries()
	if len(entries) == 0 {
		n.Fault("there is no flow", "add one, with its steps")
	}
	for _, e := range entries {
		checkName(e.At, e.Key, otherName, nil)
		f := r.readFlow(e.Key, e.Value)
		r.def.Flows = append(r.def.Flows, f)
		r.places[f] = e.At
		r.checkFlow(f)
	}
}

func (r *reader) readFlow(name string, n *config.Node) *Flow {
	m := n.Mapping()
	f := &Flow{Name: name, Open: m.Bool("open", true), Stealth: m.Bool("stealth", false)}
	if title := m.Need("title"); title != nil {
		f.Title = r.readText(title)
	}
	if steps := m.Need("steps"); steps != nil {
		for _, s := range steps.Sequence() {
			if definition := r.readStep(f, s); definition != nil {
				f.Steps = append(f.Steps, definition)
			}
		}
	}
	m.Done()
	return f
}

// stepReader is what a kind of step reads its settings from.
type stepReader struct {
	*reader
	*config.Mapping
	flow *Flow
}

// readStep reads "kind: {settings}".
func (r *reader) readStep(f *Flow, n *config.Node) *StepDefinition {
	entries := n.Entries()
	if len(entries) != 1 {
		n.Fault("a step is one kind with its settings", `write it like "- data: {items: [email]}"`)
		return nil
	}
	e := entries[0]
	read, known := kinds[e.Key]
	if !known {
		e.At.Fault(fmt.Sprintf("there is no kind of step %q", e.Key), "use one of "+strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
		return nil
	}
	m := &stepReader{reader: r, Mapping: e.Value.Mapping(), flow: f}
	s := &StepDefinition{Kind: e.Key, Name: e.Key}
	if name := m.Get("name"); name != nil {
		s.Name = name.Str()
		checkName(name, s.Name, otherName, reservedSteps)
	}
	s.Settings = read(m)
	m.Done()
	r.places[s] = e.At
	return s
}

// readDefault reads which flow is taken when none is named. Where all are closed, none is.
func (r *reader) readDefault(top, n *config.Node) {
	open := func(f *Flow) bool { return f.Open }
	if !slices.ContainsFunc(r.def.Flows, open) {
		return
	}
	if n == nil {
		top.Fault(`the key "default" is missing`, `add "default: " and the name of an open flow`)
		return
	}
	name := n.Str()
	switch f := r.def.Flow(name); {
	case f == nil:
		n.Fault(fmt.Sprintf("there is no flow %q", name), "name one of the flows")
	case !f.Open:
		n.Fault(fmt.Sprintf("the flow %q is closed", name), "name an open flow, or open this one")
	default:
		r.def.Default = name
	}
}

// readText reads a plain text, or texts by language.
func (r *reader) readText(n *config.Node) Text {
	if !n.IsMapping() {
		return Text{"": r.readWords(n)}
	}
	t := Text{}
	for _, e := range n.Entries() {
		if !languageTag(e.Key) {
			e.At.Fault(fmt.Sprintf("%q is not a language", e.Key), "use a language tag such as en or de-AT")
			continue
		}
		r.languages[e.Key] = true
		t[e.Key] = r.readWords(e.Value)
	}
	return t
}

// readWords reads a text that a person will see.
func (r *reader) readWords(n *config.Node) string {
	s := n.Str()
	if strings.TrimSpace(s) == "" || strings.ContainsFunc(s, unprintable) {
		n.Fault("this text is empty, or has characters that cannot be shown", "write a text on one line")
	}
	return s
}

// Names are used in JSON, in forms and in addresses of pages.
var (
	itemName      = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	otherName     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	reservedItems = []string{usernameItem, "code", "token", "step", "flow", "items", "locale", "return_to"}
	reservedSteps = []string{"resend", "change", "abort", "start"}
)

func checkName(n *config.Node, name string, form *regexp.Regexp, reserved []string) {
	switch {
	case !form.MatchString(name):
		n.Fault(fmt.Sprintf("%q cannot be a name here", name), "use up to 63 lower-case letters, digits and "+
			map[*regexp.Regexp]string{itemName: "underscores", otherName: "hyphens"}[form]+", beginning with a letter")
	case slices.Contains(reserved, name):
		n.Fault(fmt.Sprintf("the name %q is taken by Narthex itself", name), "choose another name")
	}
}
