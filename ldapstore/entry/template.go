package entry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Template is a text with places that are filled for each account: "{{givenName}} {{sn}}". In a place stands the name of
// an attribute as the flows file has it, a computed value, or several of them with "|" between: the first that there is.
// It is read once, at start, so that no value can ever be taken for a place.
type Template struct {
	source string
	parts  []part
}

// part is a literal text or, with references, a place.
type part struct {
	literal    string
	references []reference
}

// reference names one value: an attribute's, a computed one, or a literal in quotes.
type reference struct {
	function string // see functions; empty for the plain value of an attribute
	name     string
	literal  bool
}

// values has what a place can be filled with.
type values interface {
	// value returns the text for a reference, and whether there is one.
	value(reference) (string, bool)
}

const maxTemplate = 1000

var (
	attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)
	// functions lists what may stand before a colon, with the words after it; none for the name of an attribute.
	functions = map[string][]string{
		"now":    {"generalized-time", "date", "unix", "days"},
		"random": {"uuid"},
		"lower":  nil,
		"ascii":  nil,
	}
)

// templateError says what is wrong with a template, and what to do.
type templateError struct{ problem, fix string }

func (e *templateError) Error() string { return e.problem + "; " + e.fix }

// ParseTemplate reads a template.
func ParseTemplate(text string) (Template, error) {
	if len(text) > maxTemplate {
		return Template{}, &templateError{fmt.Sprintf("the template has more than %d bytes", maxTemplate), "make it shorter"}
	}
	t := Template{source: text}
	for rest := text; rest != ""; {
		before, inside, opened := strings.Cut(rest, "{{")
		if strings.Contains(before, "}}") {
			return Template{}, &templateError{`"}}" stands here without "{{"`, `write {{"}}"}} for the two braces themselves`}
		}
		if before != "" {
			t.parts = append(t.parts, part{literal: before})
		}
		if !opened {
			break
		}
		place, length, err := parsePlace(inside)
		if err != nil {
			return Template{}, err
		}
		t.parts, rest = append(t.parts, place), inside[length:]
	}
	if len(t.parts) == 0 {
		return Template{}, &templateError{"the template is empty", "write one, or remove the key"}
	}
	return t, nil
}

// parsePlace reads what follows "{{", up to and with "}}", and returns how many bytes that is.
func parsePlace(text string) (part, int, error) {
	var place part
	for at := 0; ; {
		ref, n, err := parseReference(text[at:])
		if err != nil {
			return part{}, 0, err
		}
		place.references = append(place.references, ref)
		switch at += n; {
		case strings.HasPrefix(text[at:], "}}"):
			return place, at + len("}}"), nil
		case strings.HasPrefix(text[at:], "|"):
			at++
		default:
			return part{}, 0, &templateError{`"{{" is not closed`, `end the place with "}}"`}
		}
	}
}

// parseReference reads one reference and the blanks around it.
func parseReference(text string) (reference, int, error) {
	start := len(text) - len(strings.TrimLeft(text, " "))
	if strings.HasPrefix(text[start:], `"`) {
		inside, _, closed := strings.Cut(text[start+1:], `"`)
		if !closed {
			return reference{}, 0, &templateError{"a text in quotes is not closed", `end it with '"'`}
		}
		end := start + len(inside) + 2
		return reference{name: inside, literal: true}, end + blanks(text[end:]), nil
	}
	end := start + strings.IndexFunc(text[start:]+"}", func(c rune) bool { return c == '|' || c == '}' || c == '{' })
	ref, err := parseName(strings.TrimRight(text[start:end], " "))
	return ref, end, err
}

func blanks(text string) int { return len(text) - len(strings.TrimLeft(text, " ")) }

// parseName reads "sn", "ascii:sn" or "now:date".
func parseName(text string) (reference, error) {
	function, name, with := strings.Cut(text, ":")
	if !with {
		function, name = "", text
	}
	words, known := functions[function]
	switch {
	case text == "id":
		return reference{}, &templateError{"the id of an account is not known yet when its entry is written", "use {{attempt}} or {{random:uuid}}"}
	case with && !known:
		return reference{}, &templateError{fmt.Sprintf("nothing is called %q", short(function+":")), "use one of now:, random:, lower:, ascii:"}
	case words != nil && !slices.Contains(words, name):
		return reference{}, &templateError{fmt.Sprintf("%q is not possible", short(text)), "write one of " + function + ":" + strings.Join(words, ", "+function+":")}
	case words == nil && !attributeName.MatchString(name):
		return reference{}, &templateError{fmt.Sprintf("%q is not the name of an attribute", short(name)), "write a name as the flows file has it, such as {{givenName}}"}
	}
	return reference{function: function, name: name}, nil
}

// String is the template as it was written.
func (t Template) String() string { return t.source }

// render fills the places. It is false where a place stays empty: then there is no text at all, never half of one.
func (t Template) render(from values) (string, bool) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.references == nil {
			b.WriteString(p.literal)
			continue
		}
		text, found := p.fill(from)
		if !found {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), b.Len() > 0
}

func (p part) fill(from values) (string, bool) {
	for _, ref := range p.references {
		if ref.literal {
			return ref.name, true
		}
		if text, found := from.value(ref); found && text != "" {
			return text, true
		}
	}
	return "", false
}

// literals returns the texts around the places.
func (t Template) literals() string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.literal)
		for _, ref := range p.references {
			if ref.literal {
				b.WriteString(ref.name)
			}
		}
	}
	return b.String()
}

// certain tells whether the template has a text whenever the values that always says are there.
func (t Template) certain(always func(name string) bool) bool {
	for _, p := range t.parts {
		if p.references == nil {
			continue
		}
		if !slices.ContainsFunc(p.references, func(r reference) bool {
			return r.literal || functions[r.function] != nil || always(r.name)
		}) {
			return false
		}
	}
	return true
}

// names returns the attributes that the template mentions.
func (t Template) names() []string {
	var names []string
	for _, p := range t.parts {
		for _, ref := range p.references {
			if !ref.literal && functions[ref.function] == nil {
				names = append(names, ref.name)
			}
		}
	}
	return names
}
