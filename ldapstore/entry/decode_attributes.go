package entry

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// sealed are attributes that decide what an entry is, whether it may log in and where it belongs: the file has keys of
// its own for these.
var sealed = []string{
	"objectClass", "userPassword", "unicodePwd", "dBCSPwd", "memberOf", "dn", "entryUUID", "nsUniqueId", "objectGUID", "objectSid",
	string(LockStart), "pwdEndTime", string(LockPolicy), string(LockAccount), string(LockControl), "pwdReset", "lockoutTime",
}

// powers are attributes that give rights on other machines. What people type never goes there.
var powers = []string{
	"uidNumber", "gidNumber", "homeDirectory", "unixHomeDirectory", "loginShell", "memberUid", "member", "uniqueMember", "isMemberOf",
	"pwdPolicySubentry", "nsRoleDN", "nsRole", "userPrincipalName", "servicePrincipalName", "sIDHistory", "adminCount", "primaryGroupID",
	"scriptPath", "profilePath", "homeDrive", "userParameters", "accountExpires", "pwdLastSet", "altSecurityIdentities",
	"msDS-AllowedToDelegateTo", "msDS-AllowedToActOnBehalfOfOtherIdentity", "msDS-KeyCredentialLink", "krbPrincipalName", "krbPrincipalKey",
	"sambaSID", "sambaNTPassword", "sudoUser", "aci", "host", "authorizedService", "userCertificate", "userPKCS12", "shadowExpire",
}

func listed(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// own notes which key of the file supplies an attribute; only one may.
func (r *reader) own(at *node, attribute, key string) {
	lower := strings.ToLower(attribute)
	if listed(sealed, attribute) {
		at.fault(fmt.Sprintf("%s decides what an entry is, or whether it can log in", attribute), "remove it; object_classes, lock, password and groups are for that")
		return
	}
	if before, twice := r.owner[lower]; twice {
		at.fault(fmt.Sprintf("%s is supplied by %s already", attribute, before), "keep one of the two")
		return
	}
	r.owner[lower] = key
}

func (r *reader) readAttributes(mapped, onlyInTemplates *node) {
	r.Attributes = map[string]string{}
	target := map[string]string{}
	for item, attribute := range r.profile.attributes {
		r.Attributes[item], target[strings.ToLower(attribute)] = attribute, item
	}
	for _, p := range mapped.pairs() {
		p.at.itemAttribute(p.key)
		attribute := p.value.attribute("")
		lower := strings.ToLower(attribute)
		switch before := target[lower]; {
		case attribute == "":
			continue
		case listed(sealed, attribute) || listed(powers, attribute) || strings.EqualFold(attribute, r.Mark):
			p.value.fault(fmt.Sprintf("what people enter cannot go into %s", attribute), "choose another attribute, or supply this one by numbers, templates or constants")
		case before != "" && before != p.key && r.profile.attributes[before] != attribute:
			p.value.fault(fmt.Sprintf("%s holds %q already", attribute, before), "choose another attribute")
		}
		if before := target[lower]; before != "" {
			delete(r.Attributes, before)
		}
		r.Attributes[p.key], target[lower] = attribute, p.key
	}
	for _, item := range onlyInTemplates.list() {
		name := item.text("")
		item.itemAttribute(name)
		if _, twice := r.Attributes[name]; twice {
			item.fault(fmt.Sprintf("%q is mapped to an attribute", short(name)), "remove it here, or there")
		}
		r.OnlyInTemplates = append(r.OnlyInTemplates, name)
	}
}

// itemAttribute checks a name that the flows file gives an attribute.
func (n *node) itemAttribute(name string) {
	if name == usernameName || name == attemptName {
		n.fault(fmt.Sprintf("%q is a computed value", name), "name the attribute differently in the flows file")
		return
	}
	if name != "" && !attributeName.MatchString(name) {
		n.fault(fmt.Sprintf("%q cannot be an attribute of a flow", short(name)), "write it as the flows file has it")
	}
}

func (r *reader) readConstants(n *node) {
	r.Constants = map[string][]string{}
	for _, p := range n.pairs() {
		attribute := r.supplied(p, "constants")
		values := p.value.texts(nil)
		for _, v := range values {
			if len(v) > plugin.MaxValueBytes {
				p.value.fault("this text is too long", fmt.Sprintf("write one of up to %d bytes", plugin.MaxValueBytes))
			}
		}
		if len(values) == 0 {
			p.value.fault("there is no value", "write one, or remove the key")
		}
		r.Constants[attribute] = values
	}
}

// supplied checks an attribute that the file supplies, and notes by which key.
func (r *reader) supplied(p pair, key string) string {
	if !directoryName.MatchString(p.key) {
		p.at.fault(fmt.Sprintf("%q is not the name of an attribute", short(p.key)), "write a name from the directory's schema, without options")
	}
	if strings.EqualFold(p.key, r.People.Username) {
		p.at.fault(fmt.Sprintf("%s holds the username", p.key), "remove it here")
	}
	r.own(p.at, p.key, key+"."+p.key)
	return p.key
}

func (r *reader) readTemplates(n *node) {
	r.Templates = map[string][]Template{}
	for _, p := range n.pairs() {
		attribute := r.supplied(p, "templates")
		r.Templates[attribute] = nil
		for _, item := range p.value.list() {
			if text := item.text(""); text != "" {
				r.Templates[attribute] = append(r.Templates[attribute], item.template(text))
			}
		}
		if p.value.null() {
			p.value.fault("there is no template", `write one such as "{{givenName}} {{sn}}"`)
		}
	}
}

// badTemplate adds the fault for a template that cannot be read.
func (n *node) badTemplate(err error) {
	var bad *templateError
	if errors.As(err, &bad) {
		n.fault(bad.problem, bad.fix)
	}
}

const (
	lowestNumber  = 1000 // below are the system's own accounts
	highestNumber = 1<<31 - 2
)

func (r *reader) readNumbers(n *node) {
	r.Numbers = map[string]Numbers{}
	for _, p := range n.pairs() {
		attribute := r.supplied(p, "numbers")
		f := p.value.fields()
		numbers := Numbers{
			From:    f.get("from").int(defaultFrom, lowestNumber, highestNumber),
			To:      f.get("to").int(defaultTo, lowestNumber, highestNumber),
			Counter: r.dn(f.get("counter"), r.counterName(attribute)), CounterAttribute: f.get("counter_attribute").attribute(r.counterAttribute(attribute)),
			Block: f.get("block").int(defaultBlock, 1, 1000),
		}
		f.done()
		if numbers.From > numbers.To {
			p.value.fault("the range is empty", `choose a "to" that is not lower than "from"`)
		}
		r.Numbers[attribute] = numbers
	}
}

// fill supplies what the classes demand and the file does not say.
func (r *reader) fill() {
	const uidNumber = "uidNumber"
	if r.hasClass("posixAccount") && r.Kind != directory.ActiveDirectory && r.free(uidNumber, "numbers") {
		r.Numbers[uidNumber] = Numbers{From: defaultFrom, To: defaultTo, Counter: r.dn(nil, r.counterName(uidNumber)),
			CounterAttribute: r.counterAttribute(uidNumber), Block: defaultBlock}
	}
	for attribute, texts := range r.defaultTemplates(r.suffix) {
		if strings.EqualFold(attribute, r.People.RDN.Attribute) || !r.free(attribute, "templates") {
			continue
		}
		for _, text := range texts {
			if t, err := ParseTemplate(text); err == nil {
				r.Templates[attribute] = append(r.Templates[attribute], t)
			}
		}
	}
}

// free tells whether nothing supplies an attribute, and notes that from now on key does.
func (r *reader) free(attribute, key string) bool {
	lower := strings.ToLower(attribute)
	if _, supplied := r.owner[lower]; supplied {
		return false
	}
	r.owner[lower] = key + "." + attribute
	return true
}

// counterName is the counter's default place: among the claims, whose rights it shares.
func (r *reader) counterName(attribute string) string {
	return "cn=" + attribute + "," + string(r.Identifiers)
}

// counterAttribute is an attribute that the counter's class allows: device with extensibleObject, or a
// serviceConnectionPoint.
func (r *reader) counterAttribute(attribute string) string {
	if r.Kind == directory.ActiveDirectory {
		return "keywords"
	}
	return attribute
}
