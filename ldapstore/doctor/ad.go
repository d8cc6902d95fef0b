package doctor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// domainSchema are the identifiers of Active Directory's own classes, attributes and rights, by name (MS-ADSC, MS-ADA1 to
// MS-ADA3; MS-ADTS, section 5.1.3.2.1). They are alike in every domain. A domain's own ones are in Plan.SchemaIDs.
var domainSchema = map[string]string{ //nolint:gosec // no credentials: what everybody knows
	"user": "bf967aba-0de6-11d0-a285-00aa003049e2", "group": "bf967a9c-0de6-11d0-a285-00aa003049e2",
	"serviceconnectionpoint": "28630ec1-41d5-11d1-a9c1-0000f80367c1", "inetorgperson": "4828cc14-1437-45bc-9b07-ad6f015e5f28",
	"name": "bf967a0e-0de6-11d0-a285-00aa003049e2", "cn": "bf96793f-0de6-11d0-a285-00aa003049e2",
	"useraccountcontrol": "bf967a68-0de6-11d0-a285-00aa003049e2", "member": "bf9679c0-0de6-11d0-a285-00aa003049e2",
	"admindescription": "bf967919-0de6-11d0-a285-00aa003049e2", "admindisplayname": "bf96791a-0de6-11d0-a285-00aa003049e2",
	"mail": "bf967961-0de6-11d0-a285-00aa003049e2", "mobile": "f0f8ffa3-1191-11d0-a060-00aa006c33ed",
	"othermobile": "0296c11e-40da-11d1-a9c0-0000f80367c1", "telephonenumber": "bf967a49-0de6-11d0-a285-00aa003049e2",
	"givenname": "f0f8ff8e-1191-11d0-a060-00aa006c33ed", "sn": "bf967a41-0de6-11d0-a285-00aa003049e2",
	"displayname": "bf967953-0de6-11d0-a285-00aa003049e2", "description": "bf967950-0de6-11d0-a285-00aa003049e2",
	"company": "f0f8ff88-1191-11d0-a060-00aa006c33ed", "department": "bf96794f-0de6-11d0-a285-00aa003049e2",
	"title": "bf967a55-0de6-11d0-a285-00aa003049e2", "l": "bf9679a2-0de6-11d0-a285-00aa003049e2",
	"streetaddress": "f0f8ff84-1191-11d0-a060-00aa006c33ed", "postalcode": "bf9679fd-0de6-11d0-a285-00aa003049e2",
	"employeeid": "bf967962-0de6-11d0-a285-00aa003049e2", "employeenumber": "a8df73ef-c5ea-11d1-bbcb-0080c76670c0",
	"preferredlanguage": "856be0d0-18e7-46e1-8f5f-7ee4d9020e0d",
	resetPassword:       "00299570-246d-11d0-a768-00aa006e0529", // an extended right
}

const resetPassword = "user-force-change-password"

// schemaID is the GUID of a class or an attribute.
func (p Plan) schemaID(name string) (string, error) {
	lower := strings.ToLower(name)
	if id := p.SchemaIDs[lower]; id != "" {
		return id, nil
	}
	if id := domainSchema[lower]; id != "" {
		return id, nil
	}
	return "", fmt.Errorf("print the rights: the schema's identifier of %s is not known; ask the server itself, without --kind", name)
}

// domainRights are the rights of the service account on each of the containers, and on groups.
type domainRights struct {
	identifiers, pending, people []ace
	groups                       map[directory.DN][]ace
}

// grants collects entries for one account and the first name that the schema does not know.
type grants struct {
	plan Plan
	err  error
}

func (g *grants) id(name string) string {
	id, err := g.plan.schemaID(name)
	g.err = errors.Join(g.err, err)
	return id
}

func (g *grants) children(class string, rights ...right) ace {
	return ace{rights: rights, object: g.id(class), sid: g.plan.ServiceSID}
}

func (g *grants) write(class string, attributes ...string) []ace {
	var all []ace
	for _, a := range attributes {
		all = append(all, ace{rights: []right{writeProperty}, object: g.id(a), inheritor: g.id(class), below: true, sid: g.plan.ServiceSID})
	}
	return all
}

func (p Plan) domainRights() (domainRights, error) {
	const claim = "serviceConnectionPoint"
	g, class := &grants{plan: p}, p.Settings.People.AccountClass
	r := domainRights{groups: map[directory.DN][]ace{}}
	r.identifiers = []ace{
		{rights: reading, also: true, sid: p.ServiceSID},
		g.children(claim, createChild),
		{rights: []right{readProperty, writeProperty}, inheritor: g.id(claim), below: true, sid: p.ServiceSID},
	}
	r.pending = append([]ace{g.children(class, createChild, deleteChild)}, g.write(class, "name", "cn", "userAccountControl")...)
	moves := []right{createChild}
	if p.wants(Delete) {
		moves = append(moves, deleteChild) // which allows to delete people outright as well
		r.people = g.write(class, "name", "cn")
	}
	r.people = append([]ace{{rights: reading, also: true, sid: p.ServiceSID}, g.children(class, moves...)}, r.people...)
	r.people = append(r.people, g.write(class, p.written()...)...)
	if p.wants(SetPassword) {
		r.people = append(r.people, ace{rights: []right{controlAccess}, object: g.id(resetPassword), inheritor: g.id(class), below: true, sid: p.ServiceSID})
	}
	if p.wants(ChangeGroups) {
		for _, group := range p.groups() {
			r.groups[group.DN] = []ace{{rights: []right{readProperty, writeProperty}, object: g.id("member"), sid: p.ServiceSID}}
		}
	}
	return r, g.err
}

// domain writes the plan for Active Directory. The two containers are new, so they come with all their rights; those of
// what is there already are added to the lists that there are.
func (p Plan) domain(l *ldif, format Format) error {
	if p.ServiceSID == "" {
		return errors.New("print the plan: the security identifier (objectSid) of the service account is not known; ask the server itself, or say --sid")
	}
	r, err := p.domainRights()
	if err != nil {
		return err
	}
	domainSID := p.ServiceSID[:strings.LastIndex(p.ServiceSID, "-")]
	admins := domainSID + "-" + domainAdminsRID
	always := []ace{{rights: everything, also: true, sid: systemSID}, {rights: everything, also: true, sid: admins}}
	identifiers, err := descriptor(admins, true, append(always, r.identifiers...))
	if err != nil {
		return err
	}
	pending, err := descriptor(admins, false, r.pending)
	if err != nil {
		return err
	}
	l.comment("The claims of usernames and addresses, and below them accounts that are not finished. The descriptors hide them\nfrom everyone but the service account, Domain Admins and the system:\n    " +
		describe(append(always, r.identifiers...)) + "\nand for unfinished accounts:\n    " + describe(r.pending))
	l.container(p.Settings.Identifiers, identifiers)
	l.container(p.Settings.Pending, pending)
	if counters := p.Settings.CounterEntries(); len(counters) > 0 {
		l.comment("The next numbers.")
		for _, c := range counters {
			l.add(c.DN, c.Attributes...)
		}
	}
	if format == FormatLDIF {
		return p.domainPlaces(l, r)
	}
	return nil
}

func (l *ldif) container(dn directory.DN, sd string) {
	name, value := dn.RDN()
	l.value("dn", string(dn))
	fmt.Fprintf(l, "changetype: add\nobjectClass: organizationalUnit\n")
	l.value(name, value)
	fmt.Fprintf(l, "nTSecurityDescriptor:: %s\n\n", inBase64(sd))
}

// domainPlaces writes the rights on what is there already: as LDIF where its descriptor is known, else as commands.
func (p Plan) domainPlaces(l *ldif, r domainRights) error {
	places := []directory.DN{p.Settings.People.Base}
	rights := map[directory.DN][]ace{p.Settings.People.Base: r.people}
	for _, g := range p.groups() {
		if entries := r.groups[g.DN]; len(entries) > 0 {
			places, rights[g.DN] = append(places, g.DN), entries
		}
	}
	var unknown []directory.DN
	for _, dn := range places {
		sd := p.Descriptors[dn]
		if sd == "" {
			unknown = append(unknown, dn)
			continue
		}
		text, added, err := merged(sd, rights[dn])
		if err != nil {
			return fmt.Errorf("print the rights on %s: %w", dn, err)
		}
		if !added {
			l.comment("The rights on " + string(dn) + " are there.\n")
			continue
		}
		l.comment("The rights on " + string(dn) + ": the list that is there now, and\n    " + describe(rights[dn]) + "\nIf anybody changes that list before this is loaded, print it again.")
		l.value("dn", string(dn))
		// Only the list is written, not the owner nor what is audited (MS-ADTS, section 3.1.1.3.4.1.11, with the flag 4).
		fmt.Fprintf(l, "control: %s true:: MAMCAQQ=\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor:: %s\n\n", descriptorControl, inBase64(text))
	}
	p.domainCommands(l, unknown, rights)
	return nil
}

const descriptorControl = "1.2.840.113556.1.4.801"

// domainCommands writes how rights are added to lists that are not known.
func (p Plan) domainCommands(l *ldif, places []directory.DN, rights map[directory.DN][]ace) {
	if len(places) == 0 {
		return
	}
	l.comment("Then the rights on what is there already, which LDIF could only replace as a whole. On a Samba server:")
	for _, dn := range places {
		l.comment(fmt.Sprintf("    samba-tool dsacl set --action=allow --objectdn=%s --sddl=%s", quoted(string(dn), `'\''`), quoted(describe(rights[dn]), "")))
	}
	l.comment("Or in PowerShell on Windows, with the module ActiveDirectory:")
	for _, dn := range places {
		l.comment(fmt.Sprintf("    $a = Get-Acl -LiteralPath %s; $a.SetSecurityDescriptorSddlForm($a.GetSecurityDescriptorSddlForm('Access') + %s, 'Access'); Set-Acl -LiteralPath %[1]s -AclObject $a",
			quoted("AD:"+string(dn), "''"), quoted(describe(rights[dn]), "")))
	}
}

// quoted puts a text between single quotes; quote stands for one within it.
func quoted(text, quote string) string { return "'" + strings.ReplaceAll(text, "'", quote) + "'" }

func describe(entries []ace) string {
	var b strings.Builder
	for _, a := range entries {
		b.WriteString(a.sddl())
	}
	return b.String()
}

// domainLines are the entries for a grant, each with its place.
func (p Plan) domainLines(g grant) []string {
	r, err := p.domainRights()
	if err != nil {
		return nil
	}
	switch g {
	case toAddClaims, toChangeClaims, toReadClaims:
		return []string{string(p.Settings.Identifiers) + ": " + describe(r.identifiers)}
	case toStage, toChangeStaged, toSetStaged:
		return []string{string(p.Settings.Pending) + ": " + describe(r.pending)}
	case toChangeGroups:
		var lines []string
		for _, group := range p.groups() {
			lines = append(lines, string(group.DN)+": "+describe(r.groups[group.DN]))
		}
		return lines
	default:
		return []string{string(p.Settings.People.Base) + ": " + describe(r.people)}
	}
}
