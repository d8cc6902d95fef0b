package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/entry"
)

// Capability is something that the service account may be allowed. All but Create stand on their own: an admin who does
// not grant one gets a persister that does not offer it.
type Capability string

// The capabilities.
const (
	Create           Capability = "create"     // claims, staged entries, the move into ou=people
	ChangeAliases    Capability = "aliases"    // other addresses for an account
	ChangeAttributes Capability = "attributes" // other values of what flows collect
	SetPassword      Capability = "password"   // a new password for an account
	Lock             Capability = "lock"       // lock and unlock an account
	ChangeGroups     Capability = "groups"     // let an account join and leave groups
	Delete           Capability = "delete"     // take an account away
)

// Capabilities returns all of them.
func Capabilities() []Capability {
	return []Capability{Create, ChangeAliases, ChangeAttributes, SetPassword, Lock, ChangeGroups, Delete}
}

// ParseCapabilities reads a list with commas between. An empty text is no list.
func ParseCapabilities(text string) ([]Capability, error) {
	var chosen []Capability
	for name := range strings.SplitSeq(text, ",") {
		c := Capability(strings.TrimSpace(name))
		switch {
		case c == "":
		case !slices.Contains(Capabilities(), c):
			return nil, fmt.Errorf("%q is none of %s", c, list(Capabilities()))
		case !slices.Contains(chosen, c):
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

func list(capabilities []Capability) string {
	var names []string
	for _, c := range capabilities {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// inUse are the capabilities that the settings have a use for.
func (p Plan) inUse() []Capability {
	if len(p.Capabilities) > 0 {
		return p.Capabilities
	}
	var used []Capability
	for _, c := range Capabilities() {
		switch {
		case c == Lock && p.Settings.Lock.Method == entry.LockNone:
		case c == ChangeGroups && len(p.Settings.Groups) == 0:
		case c == ChangeAttributes && len(p.plain()) == 0:
		default:
			used = append(used, c)
		}
	}
	return used
}

func (p Plan) wants(c Capability) bool { return slices.Contains(p.inUse(), c) }
