package entry

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

func (r *reader) readGroups(groups, defaults *node) {
	r.Groups = map[string]Group{}
	for _, p := range groups.pairs() {
		if len(p.key) > plugin.MaxNameBytes || p.key == "" || strings.TrimSpace(p.key) != p.key || strings.ContainsFunc(p.key, unicode.IsControl) {
			p.at.fault("this is no name for a group", fmt.Sprintf("use 1 to %d bytes without control characters", plugin.MaxNameBytes))
		}
		r.Groups[p.key] = r.readGroup(p)
	}
	for _, item := range defaults.list() {
		name := item.text("")
		if _, known := r.Groups[name]; !known && name != "" {
			item.fault(fmt.Sprintf("there is no group %q", short(name)), `add it to "groups"`)
		}
		if slices.Contains(r.DefaultGroups, name) {
			item.fault("the group stands here twice", "remove one")
		}
		r.DefaultGroups = append(r.DefaultGroups, name)
	}
	if len(r.DefaultGroups) > plugin.MaxGroups {
		defaults.fault("these are too many groups", fmt.Sprintf("keep %d", plugin.MaxGroups))
	}
}

func (r *reader) readGroup(p pair) Group {
	f := p.value.fields()
	where := f.get("dn")
	if where == nil {
		p.at.fault(`the key "dn" is missing`, `add one such as "cn=staff,ou=groups"`)
	}
	kind := f.get("kind")
	g := Group{DN: r.dn(where, ""), Kind: GroupKind(kind.oneOf(string(r.profile.group),
		string(GroupOfNames), string(GroupOfUniqueNames), string(PosixGroup), string(ADGroup)))}
	f.done()
	if (g.Kind == ADGroup) != (r.Kind == directory.ActiveDirectory) && g.Kind != PosixGroup {
		kind.fault(fmt.Sprintf("this server has no groups of the kind %q", g.Kind), "remove the key")
	}
	return g
}

// usualKeys are where identifiers stand unless the file says otherwise.
var usualKeys = map[plugin.KeyKind]string{plugin.KindEmail: "mail", plugin.KindPhone: "mobile"}

func (r *reader) readKeys(n *node) {
	r.Keys = map[plugin.KeyKind][]string{plugin.KindUsername: {r.People.Username}}
	f := n.fields()
	given := map[plugin.KeyKind]bool{}
	for _, kind := range []plugin.KeyKind{plugin.KindEmail, plugin.KindPhone, plugin.KindUnique} {
		list := f.get(string(kind))
		given[kind] = list != nil
		for _, item := range list.list() {
			if attribute := item.attribute(""); attribute != "" {
				r.checkKey(item, attribute)
				r.Keys[kind] = append(r.Keys[kind], attribute)
			}
		}
	}
	f.done()
	for kind, attribute := range usualKeys {
		_, supplied := r.owner[strings.ToLower(attribute)]
		if _, used := r.KeyKind(attribute); !used && !supplied && !given[kind] {
			r.Keys[kind] = []string{attribute}
		}
	}
}

// checkKey refuses an attribute for identifiers that something else fills.
func (r *reader) checkKey(item *node, attribute string) {
	if kind, used := r.KeyKind(attribute); used {
		item.fault(fmt.Sprintf("%s is listed for keys of kind %s already", attribute, kind), "list it once")
	}
	if strings.EqualFold(attribute, r.People.RDN.Attribute) {
		item.fault(fmt.Sprintf("%s names the entry", attribute), "choose another attribute, or name entries by another one")
	}
	if key, supplied := r.owner[strings.ToLower(attribute)]; supplied {
		item.fault(fmt.Sprintf("%s is supplied by %s", attribute, key), "remove it here, or there")
	}
}

func (r *reader) readLock(n *node) {
	f := n.fields()
	method := f.get("method")
	const auto = "auto"
	r.Lock.Method = LockMethod(method.oneOf(auto, auto, string(LockStart), string(LockPolicy), string(LockAccount), string(LockControl), string(LockNone)))
	if r.Lock.Method == auto {
		r.Lock.Method, r.Lock.auto = r.profile.lock, true
	}
	if r.Lock.Method != LockNone && !slices.Contains(locksOf(r.Kind), r.Lock.Method) {
		method.fault(fmt.Sprintf("%s locks nobody on this server", r.Lock.Method), fmt.Sprintf("choose auto, none or %s", locksOf(r.Kind)[0]))
	}
	reason := f.get("reason")
	r.Lock.Reason = reason.attribute(r.profile.reason)
	f.done()
	if r.Lock.Reason != "" {
		r.own(reason, r.Lock.Reason, "lock.reason")
	}
}

func locksOf(kind directory.Kind) []LockMethod {
	switch kind {
	case directory.ActiveDirectory:
		return []LockMethod{LockControl}
	case directory.DS389:
		return []LockMethod{LockAccount}
	default:
		return []LockMethod{LockStart, LockPolicy}
	}
}
