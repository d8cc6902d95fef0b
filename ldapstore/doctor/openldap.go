package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// rule is one access rule (slapd.access(5)), with lines for the eye, and what it is for.
type rule struct {
	what, who string
	grants    []grant
}

func (r rule) text() string { return "to " + r.what + "\n" + r.who }

func (r rule) has(g grant) bool { return slices.Contains(r.grants, g) }

// slapdRules are the least rights, in the order in which they count. Nobody else sees what lies below ou=identifiers. For
// everything else, whoever is not the service account goes on to the rules that were there before.
func (p Plan) slapdRules() []rule {
	s := p.Settings
	rules := []rule{
		p.passwordRule(Decoy(s), "=ws", toSetDecoy),
		p.passwordRule(Probe(s), "=wrsd", toUseProbe),
	}
	if locks := p.probed(); len(locks) > 0 {
		rules = append(rules, p.alone(under("dn.base", Probe(s))+" attrs="+strings.Join(locks, ","), "=wrsd", toUseProbe))
	}
	rules = append(rules,
		p.alone(under("dn.subtree", s.Pending)+" attrs=userPassword", "=w", toSetStaged), // no auth: nobody can bind there
		p.alone(under("dn.base", s.Pending)+" attrs=children", "=az", toStage),
		p.alone(under("dn.children", s.Pending), "=wrsd", toChangeStaged),
	)
	for _, counter := range s.CounterEntries() {
		what := under("dn.base", counter.DN) + " attrs=entry,objectClass," + counterAttribute(counter)
		if counter.DN.Under(s.Identifiers) {
			rules = append(rules, p.alone(what, "=wrsd", toChangeCounters))
		} else {
			rules = append(rules, p.beside(what, "=wrsd", toChangeCounters))
		}
	}
	rules = append(rules,
		p.alone(under("dn.base", s.Identifiers)+" attrs=children", "=a", toAddClaims),
		p.alone(under("dn.one", s.Identifiers)+" filter=(objectClass=device) attrs=entry,objectClass,cn,description,ou,l,serialNumber", "=wrsd", toChangeClaims),
		p.alone(under("dn.subtree", s.Identifiers), "=rsd", toReadClaims),
	)
	return append(rules, p.slapdPeople()...)
}

// alone lets the service account do something, and nobody else anything.
func (p Plan) alone(what, rights string, grants ...grant) rule {
	return rule{what, "by " + exact(p.Service) + " " + rights + "\nby * none", grants}
}

// beside lets the service account do something, and leaves everybody else to the rules that follow.
func (p Plan) beside(what, rights string, grants ...grant) rule {
	return rule{what, "by " + exact(p.Service) + " " + rights + "\nby * break", grants}
}

// passwordRule is for an entry that the service account binds to.
func (p Plan) passwordRule(dn directory.DN, rights string, g grant) rule {
	return rule{under("dn.base", dn) + " attrs=userPassword", "by " + exact(p.Service) + " " + rights + "\nby anonymous auth\nby * none", []grant{g}}
}

// slapdPeople are the rules for accounts at rest and groups.
func (p Plan) slapdPeople() []rule {
	s := p.Settings
	people := under("dn.one", s.People.Base)
	// Whether there is a password may be asked, never what it is: an account without one is not usable.
	children, entries, entryRight, password := "=a", people, "=rsd", "=s"
	moves := []grant{toMoveIn}
	if p.wants(Delete) {
		// The two together also let it add and delete accounts outright, which cannot be told apart: accounts at least, and
		// nothing else among them.
		children, entries, entryRight = "=az", people+" filter=(objectClass="+s.People.AccountClass+")", "=wrsd"
		moves = append(moves, toTakeAway)
	}
	if p.wants(SetPassword) {
		password = "=ws"
	}
	rules := []rule{
		p.beside(under("dn.base", s.People.Base)+" attrs=children", children, moves...),
		p.beside(under("dn.subtree", s.People.Base)+" attrs=userPassword", password, toSetPasswords, toAskPasswords),
		p.beside(entries+" attrs=entry", entryRight, append(moves[1:], toReadPeople)...),
		// The name that an entry has while it waits is taken off at its new place.
		p.beside(people+` attrs=cn val.regex="^[0-9a-f]{20}-[0-9a-f]{40}$"`, "=zrsd", toTakeStagedName),
	}
	if written := p.written(); len(written) > 0 {
		rules = append(rules, p.beside(people+" attrs="+strings.Join(written, ","), "=wrsd", toWritePeople))
	}
	rules = append(rules, p.beside(people+" attrs="+strings.Join(p.read(), ","), "=rsd", toReadPeople))
	if p.wants(ChangeGroups) {
		for _, g := range p.groups() {
			rules = append(rules, p.beside(under("dn.base", g.DN)+" attrs="+memberAttribute(g.Kind), "=wrsd", toChangeGroups))
		}
	}
	return append(rules, p.beside(under("dn.subtree", s.Base)+" attrs="+strings.Join(append([]string{"entry"}, p.wide()...), ","), "=rsd", toFindByID))
}

// slapdIndexes are the attributes that are searched for values.
func (p Plan) slapdIndexes() []string {
	n := names{schema: p.Schema}
	n.add("objectClass", "entryUUID", "cn", "ou", p.Settings.People.Username)
	n.add(p.aliases()...)
	for _, counter := range p.Settings.CounterEntries() {
		n.add(counterAttribute(counter))
	}
	for _, g := range p.groups() {
		n.add(memberAttribute(g.Kind))
	}
	return n.list
}

func (p Plan) slapdRights(l *ldif) {
	database := p.Database
	if database == "" {
		database = "olcDatabase={1}mdb"
	}
	dn := database + ",cn=config"
	l.comment("The rights, before those that there are. If " + dn + " is not the database of\n" + string(p.Settings.Base) +
		", say which one is with --database. Whoever replicates the database needs a rule of its own before these.")
	if locks := p.probed(); p.Schema == nil && len(locks) > 0 {
		l.comment("The server was not asked: " + strings.Join(locks, ", ") + " is known only while the overlay ppolicy is loaded.\nWithout it, say lock: {method: none} in the persister's file.")
	}
	var values []string
	for i, r := range p.slapdRules() {
		values = append(values, fmt.Sprintf("{%d}%s", i, r.text()))
	}
	l.addValues(dn, "olcAccess", values)
	l.comment("The service account reads large results whole.")
	l.addValues(dn, "olcLimits", []string{exact(p.Service) + " size=unlimited time=unlimited"})
	l.comment("The indexes.")
	for _, attribute := range p.slapdIndexes() {
		l.addValues(dn, "olcDbIndex", []string{attribute + " eq"})
	}
}

// slapdConf writes rules and indexes as slapd.conf has them.
func (p Plan) slapdConf() string {
	var b strings.Builder
	b.WriteString("# For the section of the database " + string(p.Settings.Base) + " in slapd.conf: the rules before those that there are.\n\n")
	twice := func(text string) string { return strings.ReplaceAll(text, `\`, `\\`) }
	for _, r := range p.slapdRules() {
		b.WriteString("access to " + twice(r.what) + "\n    " + strings.ReplaceAll(twice(r.who), "\n", "\n    ") + "\n")
	}
	b.WriteString("\nlimits " + twice(exact(p.Service)) + " size=unlimited time=unlimited\n\n")
	for _, attribute := range p.slapdIndexes() {
		b.WriteString("index " + attribute + " eq\n")
	}
	return b.String()
}

func exact(dn directory.DN) string { return under("dn.exact", dn) }

// under writes a DN in quotes. Within them cn=config takes every octet as it is, so that a quotation mark must not stand
// there: all that is escaped is so by its number. slapd.conf reads backslashes once more: see slapdConf.
func under(scope string, dn directory.DN) string { return scope + `="` + byNumber(dn) + `"` }

// byNumber writes what is escaped in a DN as a backslash and two digits (RFC 4514, section 2.4).
func byNumber(dn directory.DN) string {
	var b strings.Builder
	for i := 0; i < len(dn); i++ {
		b.WriteByte(dn[i])
		if dn[i] != '\\' || i+1 == len(dn) {
			continue
		}
		i++
		if strings.IndexByte("0123456789abcdefABCDEF", dn[i]) >= 0 {
			b.WriteByte(dn[i])
		} else {
			fmt.Fprintf(&b, "%02X", dn[i])
		}
	}
	return b.String()
}
