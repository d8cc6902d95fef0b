package flow

import (
	"fmt"
	"slices"
	"time"

	"github.com/narthex/narthex/internal/config"
)

// item returns the item that a node names.
func (r *stepReader) item(n *config.Node) *Item {
	name := n.Str()
	i := r.def.Items[name]
	if i == nil && name != "" {
		n.Fault(fmt.Sprintf("there is no item %q", name), "use one of the items: "+r.itemNames())
	}
	return i
}

// items returns the items that a list names, each once.
func (r *stepReader) items(n *config.Node) []*Item {
	var all []*Item
	for _, one := range n.Sequence() {
		i := r.item(one)
		switch {
		case i == nil:
		case slices.Contains(all, i):
			one.Fault(fmt.Sprintf("the item %q stands there twice", i.Name), "remove one")
		default:
			all = append(all, i)
		}
	}
	return all
}

func readData(r *stepReader) Settings {
	s := &DataSettings{}
	if n := r.Need("items"); n != nil {
		if s.Items = r.items(n); len(s.Items) == 0 {
			n.Fault("the step asks for nothing", "list items")
		}
	}
	if n := r.Get("rules"); n != nil {
		for _, one := range n.Sequence() {
			if rule, ok := r.rule(one, s.Items); ok {
				s.Rules = append(s.Rules, rule)
			}
		}
	}
	return s
}

// rule reads "equal: [a, b]".
func (r *stepReader) rule(n *config.Node, here []*Item) (Rule, bool) {
	entries := n.Entries()
	if len(entries) != 1 || !slices.Contains([]string{ruleEqual, ruleDifferent, ruleAtLeastOne}, entries[0].Key) {
		n.Fault("this is no rule", `write it like "- equal: [password, password_again]"; there are equal, different and at_least_one`)
		return Rule{}, false
	}
	rule := Rule{Kind: entries[0].Key, Items: r.items(entries[0].Value)}
	if len(rule.Items) < 2 {
		n.Fault("a rule is about two items or more", "name another one")
		return Rule{}, false
	}
	for _, i := range rule.Items {
		if !slices.Contains(here, i) {
			n.Fault(fmt.Sprintf("the item %q is not asked for in this step", i.Name), "a rule is about items of its own step")
		}
	}
	return rule, true
}

// usernameAttribute stores usernames where the file does not say otherwise (RFC 4519, section 2.39).
const usernameAttribute = "uid"

func readUsername(r *stepReader) Settings {
	s := &UsernameSettings{Item: &Item{
		Name: usernameItem, Type: itemUsername, Required: true, Attribute: usernameAttribute, Autocomplete: "username",
	}}
	if n := r.Get("attribute"); n != nil {
		s.Item.Attribute = readAttribute(n)
	}
	if n := r.Get("label"); n != nil {
		s.Item.Label = r.readText(n)
	}
	if n := r.Get("generate"); n != nil {
		s.Generate = n.Str()
		var err error
		if s.generator, err = newGenerator(s.Generate); err != nil {
			n.Fault(err.Error(), `write "uuid", or a pattern such as "u{alnum:11}"`)
		}
	}
	return s
}

func readVerifyEmail(r *stepReader) Settings {
	s := &VerifyEmailSettings{
		Digits:      int(r.Int("digits", defaultDigits, leastDigits, mostDigits)),
		Lifetime:    r.Duration("lifetime", defaultLifetime, time.Minute, longestLifetime),
		Tries:       int(r.Int("attempts", defaultTries, 1, mostTries)),
		ResendAfter: r.Duration("resend_after", defaultResendAfter, 10*time.Second, time.Hour),
	}
	if n := r.Need("item"); n != nil {
		s.Address = r.item(n)
		if s.Address != nil && s.Address.Type != ItemEmail {
			n.Fault(fmt.Sprintf("the item %q is of type %s", s.Address.Name, s.Address.Type), "name an item of type email")
		}
	}
	return s
}

func readPersist(*stepReader) Settings { return &PersistSettings{} }
