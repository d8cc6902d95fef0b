package flow

import (
	"fmt"
	"maps"
	"slices"
)

// checkFlow finds what is wrong with a flow as a whole.
func (r *reader) checkFlow(f *Flow) {
	if len(f.Steps) == 0 {
		return // the reason is a fault already
	}
	r.checkStepNames(f)
	r.checkOrder(f)
	r.checkItems(f)
	r.checkProofs(f)
	r.checkPasswords(f)
}

func (r *reader) checkStepNames(f *Flow) {
	seen := map[string]bool{}
	for _, s := range f.Steps {
		if seen[s.Name] {
			r.places[s].Fault(fmt.Sprintf("the flow has two steps %q", s.Name), `give one of them another name with "name:"`)
		}
		seen[s.Name] = true
	}
}

// checkOrder wants one username and one persist, which comes last.
func (r *reader) checkOrder(f *Flow) {
	count := map[string]int{}
	for n, s := range f.Steps {
		count[s.Kind]++
		switch s.Kind {
		case "username", "persist":
			if count[s.Kind] == 2 {
				r.places[s].Fault(fmt.Sprintf("the flow has more than one %s step", s.Kind), "keep one")
			}
		}
		if s.Kind == "persist" && n != len(f.Steps)-1 {
			r.places[s].Fault("steps follow after persist", "persist is the last step: the account exists afterwards")
		}
	}
	for kind, fix := range map[string]string{
		"data":     `add a data step that asks for something`,
		"username": `add "- username: {generate: uuid}", or "- username: {}" to let people choose`,
		"persist":  `end the flow with "- persist: {}"`,
	} {
		if count[kind] == 0 {
			r.places[f].Fault(fmt.Sprintf("the flow has no %s step", kind), fix)
		}
	}
}

// checkItems wants every item in one step and every attribute filled by one item, in each flow.
func (r *reader) checkItems(f *Flow) {
	items, attributes := map[*Item]bool{}, map[string]string{}
	for _, s := range f.Steps {
		for _, i := range s.Settings.supplies() {
			if items[i] {
				r.places[s].Fault(fmt.Sprintf("the item %q is collected twice", i.Name), "collect it in one step")
				continue
			}
			items[i] = true
			if other, twice := attributes[i.Attribute]; twice && i.Attribute != "" {
				r.places[s].Fault(fmt.Sprintf("the items %q and %q both fill the attribute %q", other, i.Name, i.Attribute), "give one of them another attribute")
			}
			attributes[i.Attribute] = i.Name
		}
	}
}

// checkProofs wants every alias verified before it goes into an account: an alias that nobody proved would let anyone
// take anyone's address. In a stealth flow that is true of every address that only one account can have, because the
// conflict must be said to its owner only.
func (r *reader) checkProofs(f *Flow) {
	collected, proved := map[*Item]bool{}, map[*Item]bool{}
	for _, s := range f.Steps {
		for _, i := range s.Settings.supplies() {
			collected[i] = true
		}
		v, ok := s.Settings.(*VerifyEmailSettings)
		switch {
		case !ok || v.Address == nil:
		case !collected[v.Address]:
			r.places[s].Fault(fmt.Sprintf("the item %q is verified before it is collected", v.Address.Name), "collect it in an earlier data step")
		case proved[v.Address]:
			r.places[s].Fault(fmt.Sprintf("the item %q is verified twice", v.Address.Name), "keep one of the steps")
		default:
			proved[v.Address] = true
		}
	}
	for _, i := range r.inOrder(collected) {
		address := i.Type == ItemEmail || i.Type == ItemPhone
		owned := i.Alias || i.Unique && f.Stealth
		if !address || !owned || proved[i] {
			continue
		}
		fix := fmt.Sprintf(`add "- verify-email: {item: %s}" before persist`, i.Name)
		if i.Type == ItemPhone {
			fix = "phone numbers cannot be verified yet: remove alias or unique"
		}
		what := "is an alias that is not verified before persist"
		if !i.Alias {
			what = "is a unique address, and a stealth flow that does not verify it would tell whose it is"
		}
		r.places[f].Fault(fmt.Sprintf("the item %q %s", i.Name, what), fix)
	}
}

// checkPasswords wants one password; a second one only as its repetition.
func (r *reader) checkPasswords(f *Flow) {
	var first *Item
	for _, s := range f.Steps {
		data, ok := s.Settings.(*DataSettings)
		if !ok {
			continue
		}
		for _, i := range data.Items {
			switch {
			case i.Type != ItemPassword:
			case first == nil:
				first = i
			case !data.equal(first, i):
				r.places[s].Fault(fmt.Sprintf("%q is a second password", i.Name), fmt.Sprintf(
					`remove it, or ask for it in the step of %q with the rule "equal: [%s, %s]"`, first.Name, first.Name, i.Name))
			}
		}
	}
}

// equal tells whether a rule of the step makes two of its items equal.
func (s *DataSettings) equal(a, b *Item) bool {
	return slices.ContainsFunc(s.Rules, func(rule Rule) bool {
		return rule.Kind == ruleEqual && slices.Contains(rule.Items, a) && slices.Contains(rule.Items, b)
	})
}

// checkUse finds items that no flow collects, and values that nothing is done with.
func (r *reader) checkUse() {
	collected, compared := map[*Item]bool{}, map[*Item]bool{}
	for _, f := range r.def.Flows {
		for _, s := range f.Steps {
			for _, i := range s.Settings.supplies() {
				collected[i] = true
			}
			switch settings := s.Settings.(type) {
			case *DataSettings:
				for _, rule := range settings.Rules {
					for _, i := range rule.Items {
						compared[i] = true
					}
				}
			case *VerifyEmailSettings:
				compared[settings.Address] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.def.Items)) {
		i := r.def.Items[name]
		switch {
		case !collected[i]:
			r.places[i].Fault(fmt.Sprintf("no flow collects the item %q", name), "list it in a data step, or remove it")
		case i.Attribute == "" && i.Type != ItemPassword && !compared[i]:
			r.places[i].Fault(fmt.Sprintf("the item %q is stored nowhere", name), "add attribute, or remove the item")
		}
	}
}

// inOrder sorts items by their names.
func (r *reader) inOrder(set map[*Item]bool) []*Item {
	var all []*Item
	for _, name := range slices.Sorted(maps.Keys(r.def.Items)) {
		if set[r.def.Items[name]] {
			all = append(all, r.def.Items[name])
		}
	}
	return all
}
