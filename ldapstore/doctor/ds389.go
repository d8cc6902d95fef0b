package doctor

import (
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// aci is one access control instruction of 389 Directory Server. All stand on the base entry.
type aci struct {
	target, name, rights string
	grant                grant
}

func (a aci) text(service directory.DN) string {
	return fmt.Sprintf(`%s(version 3.0; acl "narthex: %s"; %s userdn="ldap:///%s";)`, a.target, a.name, a.rights, inACI(service))
}

// inACI writes a DN within the quotes of an instruction.
func inACI(dn directory.DN) string { return byNumber(dn) }

// aciInstructions are the least rights.
func (p Plan) aciInstructions() []aci {
	s := p.Settings
	identifiers, pending, people := inACI(s.Identifiers), inACI(s.Pending), inACI(s.People.Base)
	person := fmt.Sprintf(`(target="ldap:///%s=*,%s")`, s.People.RDN.Attribute, people)
	all := []aci{
		{`(targetattr="*")(target="ldap:///cn=*,` + pending + `")`, "accounts that are not finished", "allow (search,add,delete,write)", toStage},
		{`(target_from="ldap:///cn=*,` + pending + `")(target_to="ldap:///` + people + `")`, "their move into place", "allow (moddn)", toMoveIn},
		{`(targetattr="description || ou || l || serialNumber")(target="ldap:///cn=*,` + identifiers + `")(targetfilter="(objectClass=device)")`, "claims", "allow (read,search,write)", toChangeClaims},
		{`(target="ldap:///cn=*,` + identifiers + `")(targetfilter="(objectClass=device)")`, "new claims", "allow (add)", toAddClaims},
		{`(targetattr!="userPassword")(target="ldap:///` + identifiers + `")`, "reading claims", "allow (read,search)", toReadClaims},
		{`(targetattr="userPassword")(target="ldap:///` + inACI(Decoy(s)) + `")`, "the decoy", "allow (search,write)", toSetDecoy},
		{`(targetattr="` + strings.Join(append([]string{"userPassword"}, p.probed()...), " || ") + `")(target="ldap:///` + inACI(Probe(s)) + `")`, "trying passwords and locks", "allow (read,write)", toUseProbe},
		{`(targetattr="` + strings.Join(p.read(), " || ") + `")(target="ldap:///` + people + `")`, "reading accounts", "allow (read,search)", toReadPeople},
		{`(targetattr="userPassword")` + person, "asking whether accounts have a password", "allow (search)", toAskPasswords},
		{`(targetattr="` + strings.Join(p.wide(), " || ") + `")(target="ldap:///` + inACI(s.Base) + `")`, "names and numbers in use", "allow (read,search)", toFindByID},
	}
	for _, counter := range s.CounterEntries() {
		name := counterAttribute(counter)
		all = append(all, aci{`(targetattr="objectClass || ` + name + `")(target="ldap:///` + inACI(counter.DN) + `")`, "the counter of " + name, "allow (read,search,write)", toChangeCounters})
	}
	written := p.written()
	if p.wants(Delete) {
		written = append(written, "cn")
		all = append(all, aci{fmt.Sprintf(`(target_from="ldap:///%s=*,%s")(target_to="ldap:///%s")`, s.People.RDN.Attribute, people, pending), "taking accounts away", "allow (moddn)", toTakeAway})
	}
	if p.wants(SetPassword) {
		written = append(written, "userPassword")
	}
	if len(written) > 0 {
		all = append(all, aci{`(targetattr="` + strings.Join(written, " || ") + `")` + person, "changing accounts", "allow (write)", toWritePeople})
	}
	if p.wants(ChangeGroups) {
		for _, g := range p.groups() {
			all = append(all, aci{`(targetattr="` + memberAttribute(g.Kind) + `")(target="ldap:///` + inACI(g.DN) + `")`, "the group " + groupName(g.DN), "allow (read,search,write)", toChangeGroups})
		}
	}
	return all
}

func groupName(dn directory.DN) string {
	_, value := dn.RDN()
	return strings.ReplaceAll(value, `"`, "")
}

// aciHidden keeps everybody else away from what lies below ou=identifiers, whatever other instructions allow.
func (p Plan) aciHidden() string {
	return fmt.Sprintf(`(targetattr="*")(target="ldap:///%s")(version 3.0; acl "narthex: nobody else"; deny (all) userdn!="ldap:///%s";)`,
		inACI(p.Settings.Identifiers), inACI(p.Service))
}

func (p Plan) aciRights(l *ldif) {
	l.comment("The rights.")
	var values []string
	for _, a := range p.aciInstructions() {
		values = append(values, a.text(p.Service))
	}
	l.addValues(string(p.Settings.Base), "aci", append(values, p.aciHidden()))
	backend := p.Database
	if backend == "" {
		backend = "userroot"
	}
	indexes := p.ds389Indexes()
	if len(indexes) == 0 {
		return
	}
	l.comment("The indexes. If " + backend + " is not the backend of " + string(p.Settings.Base) + ", say which one is with --database.")
	for _, name := range indexes {
		l.add(directory.DN("cn="+name+",cn=index,cn="+backend+",cn=ldbm database,cn=plugins,cn=config"),
			attribute("objectClass", "top", "nsIndex"), attribute("cn", name), attribute("nsSystemIndex", "false"), attribute("nsIndexType", "eq"))
	}
	l.comment("What is there already is put into them. Meanwhile the server refuses writes: seconds, minutes for a large tree.")
	l.add(directory.DN("cn=narthex,cn=index,cn=tasks,cn=config"), attribute("objectClass", "top", "extensibleObject"),
		attribute("cn", "narthex"), attribute("nsInstance", backend), attribute("nsIndexAttribute", indexes...))
}

// ds389Indexes are the attributes that are searched for values and that a new backend has no index of.
func (p Plan) ds389Indexes() []string {
	n := names{schema: p.Schema}
	n.add("objectClass", "nsUniqueId", "cn", "uid", "mail", "mailAlternateAddress", "member", "memberOf", "uniqueMember", "owner", "seeAlso", "sn", "givenName", "telephoneNumber", "uidNumber", "gidNumber", "memberUid")
	brought := len(n.list)
	n.add("ou", p.Settings.People.Username)
	n.add(p.aliases()...)
	for _, counter := range p.Settings.CounterEntries() {
		n.add(counterAttribute(counter))
	}
	for _, g := range p.groups() {
		n.add(memberAttribute(g.Kind))
	}
	return n.list[brought:]
}
