package claim

import (
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// notes are what a claim says beside its state, so that a stranger can finish what somebody else began: written with it
// in one Modify, and removed with it.
type notes struct {
	mark string // open: the janitor looks at it; holding: so it does when the hold is over
	// dn is the final name of an account, others the names of its other claims.
	dn     directory.DN
	others []string
	// more are marked by one letter each: see the constants.
	more map[letter]string
	// groups are those that a new account joins.
	groups []string
}

// letter marks one of the further notes.
type letter string

// The letters.
const (
	noteAnchor    letter = "u" // the claim of the account's username
	noteOld       letter = "k" // the claim that a change gives up
	noteAttribute letter = "a" // the attribute that is changed, of the old value
	noteInto      letter = "b" // the attribute that gets the new value
	noteOldValue  letter = "w"
	noteNewValue  letter = "v"
	noteAccount   letter = "i" // the account
	noteBack      letter = "r" // the state to go back to
	noteDropper   letter = "t" // the attempt of a drop; an anchor at rest keeps that of the last change, if it was one
	noteHold      letter = "h" // how long a dropped claim is held back, in milliseconds
	noteGroup     letter = "g" // may come several times
	noteDN        letter = "d" // Active Directory only
	noteOther     letter = "o" // Active Directory only
)

const (
	open    = "open"
	holding = "held"
)

// layout names the attributes of a claim on a kind of server.
type layout struct {
	class, state, mark, text, others string
}

func layoutOf(k directory.Kind) layout {
	if k == directory.ActiveDirectory {
		return layout{class: "serviceConnectionPoint", state: "keywords", mark: "serviceClassName", text: "serviceBindingInformation"}
	}
	return layout{class: "device", state: "description", mark: "ou", text: "l", others: "serialNumber"}
}

// attributes lists what is read of a claim.
func (l layout) attributes() []string {
	if l.others == "" {
		return []string{l.state, l.mark, l.text}
	}
	return []string{l.state, l.mark, l.text, l.others}
}

// write returns the notes as attributes, absent ones without values.
func (l layout) write(n notes) []directory.Attribute {
	var texts, others []string
	switch {
	case n.dn != "" && l.others == "":
		texts = append(texts, string(noteDN)+":"+string(n.dn))
	case n.dn != "":
		texts = append(texts, string(n.dn))
	}
	for _, name := range n.others {
		if l.others == "" {
			texts = append(texts, string(noteOther)+":"+name)
		} else {
			others = append(others, name)
		}
	}
	for _, k := range []letter{noteAnchor, noteOld, noteAttribute, noteInto, noteOldValue, noteNewValue, noteAccount, noteBack, noteDropper, noteHold} {
		if n.more[k] != "" {
			texts = append(texts, string(k)+":"+n.more[k])
		}
	}
	for _, g := range n.groups {
		texts = append(texts, string(noteGroup)+":"+g)
	}
	all := []directory.Attribute{{Name: l.mark, Values: oneOrNone(n.mark)}, {Name: l.text, Values: texts}}
	if l.others != "" {
		all = append(all, directory.Attribute{Name: l.others, Values: others})
	}
	return all
}

func oneOrNone(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// read reads the notes of an entry.
func (l layout) read(e directory.Entry) notes {
	n := notes{mark: e.Value(l.mark), more: map[letter]string{}}
	if l.others != "" {
		n.others = slices.Clone(e.Values(l.others))
	}
	for _, text := range e.Values(l.text) {
		if len(text) < 2 || text[1] != ':' {
			n.dn = directory.DN(text)
			continue
		}
		switch k := letter(text[:1]); k {
		case noteDN:
			n.dn = directory.DN(text[2:])
		case noteOther:
			n.others = append(n.others, text[2:])
		case noteGroup:
			n.groups = append(n.groups, text[2:])
		default:
			n.more[k] = text[2:]
		}
	}
	slices.Sort(n.others)
	return n
}

// without returns names without one of them.
func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name || strings.EqualFold(n, name) })
}
