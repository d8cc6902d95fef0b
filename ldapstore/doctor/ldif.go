package doctor

import (
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// Format is how the plan is written.
type Format string

// The formats.
const (
	FormatLDIF      Format = "ldif"       // everything, for ldapmodify
	FormatEntries   Format = "entries"    // only the entries, for ldapmodify
	FormatSlapdConf Format = "slapd.conf" // only rules and indexes, for OpenLDAP's older file
)

// Print writes what an admin loads: the entries that the persister needs, the least rights of the service account for the
// capabilities in use, and the indexes to add. Loading it a second time is refused where it is there already.
func (p Plan) Print(format Format) (string, error) {
	var l ldif
	switch {
	case format == FormatSlapdConf && p.Settings.Kind != directory.OpenLDAP:
		return "", fmt.Errorf("print the plan: %s is for OpenLDAP only", format)
	case format == FormatSlapdConf:
		return p.slapdConf(), nil
	case format != FormatLDIF && format != FormatEntries:
		return "", fmt.Errorf("print the plan: %q is none of %s, %s, %s", format, FormatLDIF, FormatEntries, FormatSlapdConf)
	}
	l.comment(p.heading())
	l.WriteString("\n")
	var err error
	switch p.Settings.Kind {
	case directory.OpenLDAP:
		p.entries(&l)
		if format == FormatLDIF {
			p.slapdRights(&l)
		}
	case directory.DS389:
		p.entries(&l)
		if format == FormatLDIF {
			p.aciRights(&l)
		}
	default:
		err = p.domain(&l, format)
	}
	return strings.TrimRight(l.String(), "\n") + "\n", err
}

func (p Plan) heading() string {
	text := fmt.Sprintf(`What Narthex needs in this directory (%s), for: %s.
Read it, then load it as the directory's admin, who may also change the server's own settings:
    ldapmodify -c -H %s -D ADMIN -W -f THIS-FILE
-c goes on after what is there already: "Already exists", "Type or value exists" and "duplicate index" are harmless.`,
		p.Settings.Kind, list(p.inUse()), "ldaps://HOST")
	if p.Settings.Kind == directory.OpenLDAP { // as Debian and its kin set it up
		text += `
Where ADMIN hears "Insufficient access" for cn=config, load the same file again as root on the server's machine:
    ldapmodify -c -Y EXTERNAL -H ldapi:/// -f THIS-FILE`
	}
	return text
}

// entries writes those that the persister does not make itself.
func (p Plan) entries(l *ldif) {
	s := p.Settings
	l.comment("The claims of usernames and addresses, and below them accounts that are not finished.")
	for _, dn := range []directory.DN{s.Identifiers, s.Pending} {
		name, value := dn.RDN()
		l.add(dn, attribute("objectClass", containerClass(name)), attribute(name, value))
	}
	l.comment("The persister binds to it for names that nobody has, so that they take as long as others. It can do nothing.\nIts password matches none until the service account sets one.")
	l.add(Decoy(s), attribute("objectClass", "device", "simpleSecurityObject"), attribute("cn", DecoyName), attribute("userPassword", "{CRYPT}*"))
	l.comment("On it, 'narthex directory check' and the persister's start try whether passwords and locks work. Nobody has its password.")
	l.add(Probe(s), attribute("objectClass", "device", "simpleSecurityObject"), attribute("cn", ProbeName), attribute("userPassword", "{CRYPT}*"))
	if counters := s.CounterEntries(); len(counters) > 0 {
		l.comment("The next numbers.")
		for _, c := range counters {
			l.add(c.DN, c.Attributes...)
		}
	}
}

// containerClass is a class for an entry that is named by an attribute and only holds others.
func containerClass(rdn string) string {
	switch strings.ToLower(rdn) {
	case "o":
		return "organization"
	case "cn":
		return "device"
	default:
		return "organizationalUnit"
	}
}
