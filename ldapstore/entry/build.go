package entry

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Inputs are what an entry needs beside the account. All of it is known before the one Add.
type Inputs struct {
	// Run is the execution that stages the entry; it becomes the first mark.
	Run string
	// Numbers has one for each of Settings.Numbers, by directory attribute.
	Numbers map[string]int64
	// Password is what a Vault made of the account's password; empty where the server gets it afterwards.
	Password []directory.Attribute
	Now      time.Time
}

// Draft is an account as it shall stand in the directory.
type Draft struct {
	// DN is the final name; the value of its RDN stands among the attributes.
	DN directory.DN
	// Attributes are complete but for what hides a staged entry: see Stage.
	Attributes []directory.Attribute
	// Groups are those to join, by the names of the settings, each once.
	Groups []string
	locked bool
	reason string
	// from tells which attribute of the flow has filled an attribute, by its lower-case name.
	from map[string]string
}

// Build makes an entry of a new account. What the settings or the schema do not allow is ErrInvalid in a *FieldError with
// the name that the flow gives the attribute; a username that is the name of a group is ErrExists.
func (s *Settings) Build(a plugin.NewAccount, in Inputs) (Draft, error) {
	b := builder{Settings: s, known: known{account: a, now: in.Now, numbers: map[string]int64{}, flowName: s.FlowAttribute}, run: in.Run}
	for name, n := range in.Numbers {
		b.numbers[strings.ToLower(name)] = n
	}
	for _, step := range []func() error{b.addKeys, b.addAttributes, b.addSupplied, b.addTemplates, b.checkTexts, b.checkMust} {
		if err := step(); err != nil {
			return Draft{}, fmt.Errorf("build an entry: %w", err)
		}
	}
	groups, err := s.groupsOf(a.Groups)
	if err != nil {
		return Draft{}, fmt.Errorf("build an entry: %w", err)
	}
	if a.State.Locked && s.Lock.Method == LockNone {
		return Draft{}, fmt.Errorf("build an entry: %w: this directory cannot lock accounts", plugin.ErrInvalid)
	}
	rdn, _ := s.People.RDN.Value.render(b.known)
	if s.Kind != directory.ActiveDirectory { // there the server does it, and cn has one value
		b.addName(rdn)
	}
	d := Draft{DN: s.People.Base.Child(s.People.RDN.Attribute, rdn), Groups: groups, locked: a.State.Locked, reason: a.State.Reason, from: map[string]string{}}
	for lower, p := range b.parts {
		if p.from[0] != "" {
			d.from[lower] = p.from[0]
		}
	}
	d.Attributes = append(b.attributes(), in.Password...)
	return d, nil
}

// supply is one attribute of an entry in the making, and which attributes of the flow have filled it.
type supply struct {
	name   string
	values []string
	from   []string
}

type builder struct {
	*Settings
	known
	run   string
	order []string
	parts map[string]*supply // by lower-case name
}

// add adds a value once.
func (b *builder) add(attribute, from, value string) {
	lower := strings.ToLower(b.canonical(attribute))
	if b.parts == nil {
		b.parts = map[string]*supply{}
	}
	p := b.parts[lower]
	if p == nil {
		p = &supply{name: b.canonical(attribute)}
		b.parts[lower], b.order = p, append(b.order, lower)
	}
	for _, have := range p.values {
		if have == value {
			return
		}
	}
	p.values, p.from = append(p.values, value), append(p.from, from)
}

// addName adds the value of the RDN, unless there is one that every server takes for the same.
func (b *builder) addName(rdn string) {
	if p := b.part(b.People.RDN.Attribute); p != nil && listed(p.values, rdn) {
		return
	}
	b.add(b.People.RDN.Attribute, "", rdn)
}

func (b *builder) part(attribute string) *supply {
	return b.parts[strings.ToLower(b.canonical(attribute))]
}

func (b *builder) has(attribute string) bool { return b.part(attribute) != nil }

func (b *builder) addKeys() error {
	for _, k := range b.account.Keys {
		attribute, err := b.KeyAttribute(k)
		if err != nil {
			return err
		}
		if !b.takes(attribute, k.Value) {
			return plugin.Refused(k.Attribute, plugin.CodeInvalid)
		}
		b.add(attribute, k.Attribute, k.Value)
	}
	return nil
}

func (b *builder) addAttributes() error {
	for _, name := range sortedNames(b.account.Attributes) {
		values := b.account.Attributes[name]
		if len(values) == 0 {
			continue
		}
		for _, v := range values {
			if v.Type != plugin.TypeString || v.Validate() != nil {
				return plugin.Refused(name, plugin.CodeInvalid)
			}
		}
		attribute, stored := b.DirectoryAttribute(name)
		if !stored {
			continue
		}
		if !b.open(attribute) || b.has(attribute) && b.part(attribute).from[0] != name {
			return plugin.Refused(name, plugin.CodeForbidden)
		}
		for _, v := range values {
			if !b.takes(attribute, v.Text) {
				return plugin.Refused(name, plugin.CodeInvalid)
			}
			b.add(attribute, name, v.Text)
		}
	}
	return nil
}

// open tells whether people may fill a directory attribute.
func (s *Settings) open(attribute string) bool { return s.closedBy(attribute) == "" }

// closedBy says what keeps people from filling a directory attribute; empty: nothing.
func (s *Settings) closedBy(attribute string) string {
	_, isKey := s.KeyKind(attribute)
	switch {
	case !directoryName.MatchString(attribute):
		return "no directory has such a name"
	case isKey:
		return "the attribute is kept for names to log in with and unique values"
	case listed(sealed, attribute):
		return "the attribute decides what an entry is, or whether it can log in"
	case listed(powers, attribute):
		return "the attribute gives rights on other machines"
	case strings.EqualFold(attribute, s.Mark):
		return "the attribute is the mark of changes"
	case strings.EqualFold(attribute, s.Lock.Reason):
		return "the attribute keeps why an account is locked"
	case listed(namesOf(s.Constants), attribute):
		return "the attribute is supplied by constants"
	case listed(namesOf(s.Numbers), attribute):
		return "the attribute is supplied by numbers"
	case s.Kind == directory.ActiveDirectory && strings.EqualFold(attribute, s.People.RDN.Attribute):
		return "the attribute names the entry"
	}
	return ""
}

func (b *builder) addSupplied() error {
	for _, class := range b.People.ObjectClasses {
		b.add("objectClass", "", class)
	}
	for _, name := range sortedNames(b.Constants) {
		for _, v := range b.Constants[name] {
			b.add(name, "", v)
		}
	}
	for _, name := range sortedNames(b.Numbers) {
		n, allocated := b.numbers[strings.ToLower(name)]
		if r := b.Numbers[name]; !allocated || n < r.From || n > r.To {
			return fmt.Errorf("%w: no number in the range for %s", plugin.ErrUnavailable, name)
		}
		b.add(name, "", strconv.FormatInt(n, 10))
	}
	b.add(b.Mark, "", b.run)
	return nil
}

// usernameField is the attribute of the flow that holds the username.
func (b *builder) usernameField() string {
	for _, k := range b.account.Keys {
		if k.Kind == plugin.KindUsername {
			return k.Attribute
		}
	}
	return b.FlowAttribute(b.People.Username)
}

func (b *builder) attributes() []directory.Attribute {
	all := make([]directory.Attribute, len(b.order))
	for i, lower := range b.order {
		all[i] = directory.Attribute{Name: b.parts[lower].name, Values: b.parts[lower].values}
	}
	return all
}
