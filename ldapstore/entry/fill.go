package entry

import (
	"github.com/narthex/narthex/plugin"
)

// addTemplates fills what is still empty. Templates see what people entered and numbers, never one another.
func (b *builder) addTemplates() error {
	for _, name := range sortedNames(b.Templates) {
		if b.has(name) {
			continue
		}
		if err := b.addTemplate(name, b.Templates[name]); err != nil {
			return err
		}
	}
	return nil
}

// addTemplate adds the first text that there is and that the attribute holds.
func (b *builder) addTemplate(name string, templates []Template) (refusal error) {
	for _, t := range templates {
		text, filled := t.render(b.known)
		switch {
		case !filled:
		case isPath(name) && !b.safePath(t):
			return b.refused(t, unsafeInPath, plugin.CodeInvalid)
		case len(text) > plugin.MaxValueBytes:
			refusal = b.refused(t, func(v string) bool { return len(v) > plugin.MaxValueBytes/len(t.parts) }, plugin.CodeTooLong)
		case !b.takes(name, text):
			refusal = b.refused(t, func(v string) bool { return !b.takes(name, v) }, plugin.CodeInvalid)
		default:
			b.add(name, b.blame(t, breaksLine), text)
			return nil
		}
	}
	return refusal
}

// refused blames a value that a template uses; the username, where it uses none that people entered.
func (b *builder) refused(t Template, bad func(value string) bool, code string) error {
	field := b.blame(t, bad)
	if field == "" {
		field = b.usernameField()
	}
	return plugin.Refused(field, code)
}

// blame returns the attribute of the flow whose value is bad in a template's text, or else the first that stands there;
// empty, where nobody entered any of it.
func (b *builder) blame(t Template, bad func(value string) bool) string {
	first := ""
	for _, field := range t.names() {
		if field == usernameName {
			field = b.usernameField()
		}
		value, found := b.entered(field)
		if !found {
			field = b.FlowAttribute(field)
			value, found = b.entered(field)
		}
		switch {
		case !found:
		case bad(value):
			return field
		case first == "":
			first = field
		}
	}
	return first
}
