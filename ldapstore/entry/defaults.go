package entry

import (
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

// The defaults that have numbers.
const (
	defaultUsernameHold = 24 * time.Hour
	defaultFrom         = 10_000
	defaultTo           = 59_999
	defaultBlock        = 50
	defaultMemory       = 19456
	defaultPasses       = 2
)

// profile has what differs between the kinds of server.
type profile struct {
	username   string
	rdn        string
	classes    []string
	attributes map[string]string
	mark       string
	lock       LockMethod
	reason     string
	group      GroupKind
}

func profileOf(kind directory.Kind) profile {
	switch kind {
	case directory.ActiveDirectory:
		return profile{
			username: "sAMAccountName", rdn: "cn={{username}}", classes: []string{"user"}, attributes: map[string]string{"uid": "sAMAccountName"},
			mark: "adminDescription", lock: LockControl, reason: "adminDisplayName", group: ADGroup,
		}
	case directory.DS389:
		return profile{username: "uid", rdn: "uid={{username}}", classes: []string{"inetOrgPerson"}, mark: "employeeNumber", lock: LockAccount, group: GroupOfNames}
	default:
		return profile{username: "uid", rdn: "uid={{username}}", classes: []string{"inetOrgPerson"}, mark: "employeeNumber", lock: LockStart, group: GroupOfNames}
	}
}

// defaultTemplates fill what the classes demand and flows often do not ask for.
func (s *Settings) defaultTemplates(suffix string) map[string][]string {
	templates := map[string][]string{}
	if s.Kind == directory.ActiveDirectory {
		templates["userPrincipalName"] = []string{"{{username}}@" + suffix}
		return templates
	}
	if s.hasClass("person", "organizationalPerson", "inetOrgPerson") {
		templates["sn"] = []string{"{{username}}"}
	}
	if s.hasClass("person", "organizationalPerson", "inetOrgPerson", "posixAccount") {
		templates["cn"] = []string{"{{displayName}}", "{{givenName}} {{sn}}", "{{username}}"}
	}
	if s.hasClass("posixAccount") {
		templates["homeDirectory"] = []string{"/home/{{username}}"}
		templates["gidNumber"] = []string{"{{uidNumber}}"}
	}
	return templates
}

func (s *Settings) hasClass(names ...string) bool {
	return slices.ContainsFunc(s.People.ObjectClasses, func(class string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(class, name) })
	})
}

// accountClass picks the class that tells accounts from other entries.
func accountClass(classes []string) string {
	for _, usual := range []string{"inetOrgPerson", "user", "posixAccount", "account"} {
		for _, class := range classes {
			if strings.EqualFold(class, usual) {
				return class
			}
		}
	}
	return classes[0]
}

// suffixOf is the DNS name of a domain's entry: "DC=lab,DC=test" is lab.test. Empty for other names.
func suffixOf(base directory.DN) string {
	var labels []string
	for _, rdn := range strings.Split(string(base), ",") {
		attribute, label, _ := strings.Cut(strings.TrimSpace(rdn), "=")
		if strings.EqualFold(attribute, "DC") {
			labels = append(labels, label)
		}
	}
	return strings.Join(labels, ".")
}
