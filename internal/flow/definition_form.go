package flow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/narthex/narthex/internal/config"
)

// unshared are parts of regular expressions that a browser does not know or reads differently. Of the classes of Unicode,
// both know the general categories in braces.
var unshared = regexp.MustCompile(`\(\?[^:]|\\[AzQEC]|\\[pP](?:[^{]|\{[^A-Z]|\{[A-Z][a-z]?[^a-z}])|\[\[:`)

// readPattern reads a pattern that the browser and the server understand alike.
func (i *Item) readPattern(m *config.Mapping) {
	n := m.Get("pattern")
	if n == nil {
		return
	}
	if i.Type == ItemPassword {
		n.Fault("rules on what a password is made of make passwords weaker", "remove pattern; a longer min helps")
		return
	}
	if i.Type != ItemString {
		n.Fault(fmt.Sprintf("values of type %s have no pattern", i.Type), "remove pattern")
		return
	}
	i.Pattern = n.Str()
	compiled, err := regexp.Compile(`^(?:` + i.Pattern + `)$`)
	switch {
	case err != nil:
		n.Fault("this is no regular expression: "+err.Error(), "mend it")
	case unshared.MatchString(i.Pattern) || utf8.RuneCountInString(i.Pattern) > 500:
		n.Fault("browsers do not read this expression as the server does", `use plain classes and groups, such as [a-z]+(?:-[a-z]+)*`)
	}
	i.pattern = compiled
}

func (r *reader) readOptions(i *Item, m *config.Mapping) {
	n := m.Get("options")
	if i.Type != ItemEnum {
		if n != nil {
			n.Fault(fmt.Sprintf("values of type %s have no options", i.Type), "use type enum, or remove options")
		}
		return
	}
	if n == nil {
		m.Node().Fault("an enum needs its options", "add options: [a, b]")
		return
	}
	seen := map[string]bool{}
	for _, o := range n.Sequence() {
		choice := r.readChoice(o)
		if seen[choice.Value] {
			o.Fault(fmt.Sprintf("the option %q stands there twice", choice.Value), "remove one")
		}
		seen[choice.Value] = true
		i.Options = append(i.Options, choice)
	}
	if len(i.Options) == 0 {
		n.Fault("there is no option", "add some")
	}
}

// readChoice reads a value, or a value with its label.
func (r *reader) readChoice(n *config.Node) (c Choice) {
	if !n.IsMapping() {
		c.Value = r.readWords(n)
		return c
	}
	m := n.Mapping()
	if value := m.Need("value"); value != nil {
		c.Value = r.readWords(value)
	}
	if label := m.Get("label"); label != nil {
		c.Label = r.readText(label)
	}
	m.Done()
	return c
}

// itemNames lists the items, for messages.
func (r *reader) itemNames() string {
	return strings.Join(slices.Sorted(maps.Keys(r.def.Items)), ", ")
}
