package doctor

import (
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// rule is one access rule (slapd.access(5)), with lines for the eye.
type rule struct{ what, who string }

func (r rule) text() string { return "to " + r.what + "\n" + r.who }

// slapdRules are the least rights, in the order in which they count. Nobody else sees what lies below ou=identifiers. For
// everything else, whoever is not the service account goes on to the rules that were there before.
func (p Plan) slapdRules() []rule {
	s := p.Settings
	alone := func(what, rights string) rule {
		return rule{what, "by " + exact(p.Service) + " " + rights + "\nby * none"}
	}
	beside := func(what, rights string) rule {
		return rule{what, "by " + exact(p.Service) + " " + rights + "\nby * break"}
	}
	rules := []rule{
		{exact(Decoy(s)) + " attrs=userPassword", "by " + exact(p.Service) + " =w\nby anonymous auth\nby * none"},
		alone(under("dn.subtree", s.Pending)+" attrs=userPassword", "=w"), // no auth: nobody can bind there
		alone(under("dn.base", s.Pending)+" attrs=children", "=az"),
		alone(under("dn.children", s.Pending), "=wrsd"),
	}
	for _, counter := range s.CounterEntries() {
		name := counterAttribute(counter)
		what := under("dn.base", counter.DN) + " attrs=entry,objectClass," + name
		if counter.DN.Under(s.Identifiers) {
			rules = append(rules, alone(what, "=wrsd"))
		} else {
			rules = append(rules, beside(what, "=wrsd"))
		}
	}
	rules = append(rules,
		alone(under("dn.base", s.Identifiers)+" attrs=children", "=a"),
		alone(under("dn.one", s.Identifiers)+" filter=(objectClass=device) attrs=entry,objectClass,cn,description,ou,l,serialNumber", "=wrsd"),
		alone(under("dn.subtree", s.Identifiers), "=rsd"),
	)
	return append(rules, p.slapdPeople(beside)...)
}

// slapdPeople are the rules for accounts at rest and groups.
func (p Plan) slapdPeople(beside func(what, rights string) rule) []rule {
	s := p.Settings
	people := under("dn.one", s.People.Base)
	children, entryRight := "=a", "=rsd"
	if p.wants(Delete) {
		children, entryRight = "=az", "=wrsd" // the two together also let it delete people outright: they cannot be told apart
	}
	password := "none"
	if p.wants(SetPassword) {
		password = "=w"
	}
	rules := []rule{
		beside(under("dn.base", s.People.Base)+" attrs=children", children),
		beside(under("dn.subtree", s.People.Base)+" attrs=userPassword", password),
		beside(people+" attrs=entry", entryRight),
		// The name that an entry has while it waits is taken off at its new place.
		beside(people+` attrs=cn val.regex="^[0-9a-f]{20}-[0-9a-f]{40}$"`, "=zrsd"),
	}
	if written := p.written(); len(written) > 0 {
		rules = append(rules, beside(people+" attrs="+strings.Join(written, ","), "=wrsd"))
	}
	rules = append(rules, beside(people+" attrs="+strings.Join(p.read(), ","), "=rsd"))
	if p.wants(ChangeGroups) {
		for _, g := range p.groups() {
			rules = append(rules, beside(under("dn.base", g.DN)+" attrs=entry", "=rsd"),
				beside(under("dn.base", g.DN)+" attrs="+memberAttribute(g.Kind), "=wrsd"))
		}
	}
	// It looks for accounts by their id wherever they are, and for numbers that others use.
	wide := names{schema: p.Schema}
	wide.add("entry", "objectClass", "entryUUID")
	for _, counter := range s.CounterEntries() {
		wide.add(counterAttribute(counter))
	}
	for name := range s.Numbers {
		wide.add(name)
	}
	return append(rules, beside(under("dn.subtree", s.Base)+" attrs="+strings.Join(wide.list, ","), "=rsd"))
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
		", put its name here (--database). Whoever replicates the database needs a rule of its own before these.")
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
	for _, r := range p.slapdRules() {
		b.WriteString("access to " + r.what + "\n    " + strings.ReplaceAll(r.who, "\n", "\n    ") + "\n")
	}
	b.WriteString("\nlimits " + exact(p.Service) + " size=unlimited time=unlimited\n\n")
	for _, attribute := range p.slapdIndexes() {
		b.WriteString("index " + attribute + " eq\n")
	}
	return b.String()
}

func exact(dn directory.DN) string { return under("dn.exact", dn) }

// under writes a DN in quotes as slapd's settings have it: a backslash protects what follows, so it is doubled.
func under(scope string, dn directory.DN) string {
	return scope + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(string(dn)) + `"`
}

