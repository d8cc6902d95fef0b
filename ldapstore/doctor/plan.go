package doctor

import (
	"maps"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Plan is what the service account shall be allowed, and for what.
type Plan struct {
	// Settings are the admin's file, with what the schema says where that is known (entry.Settings.With).
	Settings *entry.Settings
	// Service is the account that the persister binds with.
	Service directory.DN
	// Uses is what flows mean to store.
	Uses []plugin.AttributeUse
	// Capabilities to grant; none: all that the settings have a use for.
	Capabilities []Capability
	// Schema is the server's, nil where it is not known: then the settings are taken at their word.
	Schema *directory.Schema
	// Database is where the server keeps its settings of the database that holds Base: on OpenLDAP the RDN of its entry in
	// cn=config ("olcDatabase={1}mdb"), on 389 Directory Server the name of the backend ("userroot"). Empty: these.
	Database string
	// ServiceSID is the service account's security identifier in Active Directory (objectSid), as text: S-1-5-21-…
	ServiceSID string
	// SchemaIDs are identifiers of Active Directory's schema (schemaIDGUID) as text, by class or attribute in lower case. Those
	// that every domain has are known without.
	SchemaIDs map[string]string
	// Descriptors are the security descriptors that the server shows of ou=people and of groups; without one, commands are
	// printed in place of LDIF.
	Descriptors map[directory.DN]string
}

// DecoyName, ProbeName and CheckName are the values of cn of entries below ou=identifiers that are no claims' names but fixed.
const (
	// DecoyName is the entry that the persister binds to for names that nobody has, so that they cost as much as others.
	DecoyName = "decoy"
	// ProbeName is an entry whose password and locks only the doctor and the persister's start try. Its password is random
	// each time, and nobody has it.
	ProbeName = "probe"
	// CheckName is the claim that the doctor tries rights on: the first 40 hexadecimal digits of the SHA-256 of "narthex
	// directory check", which no identifier has as its hash. It says free for ever, so that whatever the doctor leaves when
	// it dies is cleared by the next clean-up of any persister.
	CheckName = "d367835e5bf4f9e7e62621dc22edf6e0033a8a42"
)

// Decoy is the entry to bind to for names that nobody has. Active Directory needs none.
func Decoy(s *entry.Settings) directory.DN { return s.Identifiers.Child("cn", DecoyName) }

// Probe is the entry on which passwords and locks are tried. Active Directory needs none.
func Probe(s *entry.Settings) directory.DN { return s.Identifiers.Child("cn", ProbeName) }

// probed are the locks that are in use.
func (p Plan) probed() []string {
	if !p.wants(Lock) {
		return nil
	}
	return p.locks()
}

// names collects attributes, each once without regard to case, those of the schema only where it is known.
type names struct {
	schema *directory.Schema
	list   []string
}

func (n *names) add(attributes ...string) {
	for _, a := range attributes {
		if a == "" || slices.ContainsFunc(n.list, func(have string) bool { return strings.EqualFold(have, a) }) {
			continue
		}
		if n.schema != nil && !pseudo[a] {
			if _, known := n.schema.Attribute(a); !known {
				continue
			}
		}
		n.list = append(n.list, a)
	}
}

// pseudo are attributes that OpenLDAP's rules know and its schema does not.
var pseudo = map[string]bool{"entry": true, "children": true}

// aliases are the attributes, other than the username's, that hold identifiers and unique values.
func (p Plan) aliases() []string {
	n := names{schema: p.Schema}
	for _, kind := range []plugin.KeyKind{plugin.KindEmail, plugin.KindPhone, plugin.KindUnique} {
		n.add(p.Settings.Keys[kind]...)
	}
	return n.list
}

// plain are the attributes that flows fill and that hold no identifiers.
func (p Plan) plain() []string {
	n := names{schema: p.Schema}
	for _, u := range p.Uses {
		if attribute, stored := p.Settings.DirectoryAttribute(u.Attribute); stored && u.Attribute != "" && u.Key == "" {
			n.add(attribute)
		}
	}
	slices.Sort(n.list)
	return n.list
}

// locks are the attributes that locking writes.
func (p Plan) locks() []string {
	if p.Settings.Lock.Method == entry.LockNone {
		return nil
	}
	n := names{schema: p.Schema}
	n.add(string(p.Settings.Lock.Method))
	if p.Settings.Kind == directory.OpenLDAP && p.Schema != nil { // an account that is locked in the other way is unlocked, too
		n.add(string(entry.LockStart), string(entry.LockPolicy))
	}
	n.add(p.Settings.Lock.Reason)
	return n.list
}

// written are the attributes of accounts at rest that the capabilities write, passwords apart.
func (p Plan) written() []string {
	n := names{schema: p.Schema}
	for c, attributes := range map[Capability][]string{ChangeAliases: p.aliases(), ChangeAttributes: p.plain(), Lock: p.locks()} {
		if p.wants(c) {
			n.add(attributes...)
			n.add(p.Settings.Mark)
		}
	}
	slices.Sort(n.list)
	return n.list
}

// read are the attributes of accounts that the persister looks at.
func (p Plan) read() []string {
	s, n := p.Settings, names{schema: p.Schema}
	n.add("objectClass", s.People.RDN.Attribute, s.People.Username, "cn", s.Mark)
	n.add(p.aliases()...)
	n.add(p.plain()...)
	n.add(slices.Sorted(maps.Keys(s.Constants))...)
	n.add(slices.Sorted(maps.Keys(s.Templates))...)
	n.add(slices.Sorted(maps.Keys(s.Numbers))...)
	for _, attribute := range s.ReadAttributes() {
		if attribute != "*" && (p.Schema != nil || !ofOverlays[attribute]) {
			n.add(attribute)
		}
	}
	switch s.Kind { // to tell copies of an entry apart
	case directory.OpenLDAP:
		n.add("entryCSN")
	case directory.DS389:
		n.add("modifyTimestamp")
	case directory.ActiveDirectory:
	}
	n.add(p.probed()...)
	return n.list
}

// wide are the attributes that the persister searches for in the whole tree: accounts by their id wherever they are, names
// that the server keeps unique and somebody else has, and numbers in use.
func (p Plan) wide() []string {
	s, n := p.Settings, names{schema: p.Schema}
	n.add("objectClass", directory.Server{Kind: s.Kind}.IDAttribute(), s.People.Username)
	n.add(p.aliases()...)
	n.add(slices.Sorted(maps.Keys(s.Numbers))...)
	for _, counter := range s.CounterEntries() {
		n.add(counterAttribute(counter))
	}
	return n.list
}

// ofOverlays are attributes that OpenLDAP only knows while an overlay is loaded. A rule with an unknown one is refused.
var ofOverlays = map[string]bool{"memberOf": true, "pwdStartTime": true, "pwdAccountLockedTime": true, "pwdEndTime": true, "pwdChangedTime": true}

// groups returns the groups of the settings in the order of their names, each DN once.
func (p Plan) groups() []entry.Group {
	var all []entry.Group
	for _, name := range slices.Sorted(maps.Keys(p.Settings.Groups)) {
		g := p.Settings.Groups[name]
		if !slices.ContainsFunc(all, func(have entry.Group) bool { return have.DN.Equal(g.DN) }) {
			all = append(all, g)
		}
	}
	return all
}

// memberAttribute is where a group of the kind lists its members.
func memberAttribute(kind entry.GroupKind) string {
	switch kind {
	case entry.GroupOfUniqueNames:
		return "uniqueMember"
	case entry.PosixGroup:
		return "memberUid"
	default:
		return "member"
	}
}

// counterAttribute is where a counter entry holds the next number.
func counterAttribute(counter directory.Entry) string {
	return counter.Attributes[len(counter.Attributes)-1].Name
}
