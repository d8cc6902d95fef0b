package race

import (
	"context"
	"strings"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
)

// seen is what the directory says of one round's names.
type seen struct {
	accounts map[string]directory.Entry // by id
	claims   map[token][]string         // the words of its state
	members  map[string]bool            // the group's, in lower case
}

func (s *seen) claim(k token, word int) string {
	if words := s.claims[k]; word < len(words) {
		return words[word]
	}
	return ""
}

// isHeldBy tells whether a claim says that an account has it, at rest.
func (s *seen) isHeldBy(k token, id string) bool {
	words := s.claims[k]
	return len(words) == 5 && words[0] == "A" && words[4] == id
}

// look reads everything, and finds what is wrong with it whatever was done.
func (a *arena) look(v *violations, names []token) *seen {
	s := &seen{accounts: map[string]directory.Entry{}, claims: map[token][]string{}, members: map[string]bool{}}
	ctx := context.Background()
	for _, k := range names {
		filter := directory.Or(directory.Equal(a.settings.People.Username, string(k)), directory.Equal("mail", k.mail()))
		found, err := a.admin.Search(ctx, a.settings.People.Base, directory.Subtree, filter, 0, "*", a.server.IDAttribute())
		if err != nil {
			v.add("search", "%v", err)
			continue
		}
		if len(found) > 1 {
			v.add("a name on several accounts", "%d", len(found))
		}
		for _, e := range found {
			s.accounts[a.server.EntryID(e)] = e
		}
		a.lookAtClaim(v, s, k, found)
	}
	left, err := a.admin.Search(ctx, a.settings.Pending, directory.OneLevel, directory.Filter{}, 0, "1.1")
	if err != nil || len(left) > 0 {
		v.add("left below ou=pending", "%d, %v", len(left), err)
	}
	g, err := a.admin.Read(ctx, a.settings.Groups[group].DN, "member")
	if err != nil {
		v.add("group", "%v", err)
	}
	for _, m := range g.Values("member") {
		s.members[strings.ToLower(m)] = true
	}
	return s
}

func (a *arena) lookAtClaim(v *violations, s *seen, k token, found []directory.Entry) {
	attribute := "description"
	if a.server.Kind == directory.ActiveDirectory {
		attribute = "keywords"
	}
	e, err := a.admin.Read(context.Background(), a.settings.Identifiers.Child("cn", claim.Name(k.canonical())), attribute)
	if directory.Refused(err, directory.NoSuchObject) {
		if len(found) > 0 {
			v.add("an account without a claim", "%s", found[0].DN)
		}
		return
	}
	if err != nil || len(e.Values(attribute)) != 1 {
		v.add("a claim cannot be read", "%v", err)
		return
	}
	words := strings.Split(e.Value(attribute), " ")
	s.claims[k] = words
	switch words[0] {
	case "A":
		if len(found) == 0 || !s.isHeldBy(k, a.server.EntryID(found[0])) {
			v.add("a claim names an account that has not the name", "%s", words)
		}
	case "F", "R":
		if len(found) > 0 {
			v.add("an account without a claim", "%s: %s", found[0].DN, words)
		}
	default:
		v.add("a claim is open", "%s", words)
	}
}

// checkAccount finds what is wrong with an account of an attempt. alias is what its address should be, "" for none.
func (a *arena) checkAccount(v *violations, s *seen, id string, e directory.Entry, t *attempt, attempts []*attempt) {
	if !s.isHeldBy(t.user, id) {
		v.add("an account without a claim", "%s: %s", e.DN, s.claims[t.user])
	}
	if e.Value("sn") != "of "+string(t.user) {
		v.add("an account is not complete", "%s", e.DN)
	}
	if a.server.Kind != directory.ActiveDirectory && (len(e.Values("cn")) != 1 || len(e.Values("uid")) != 1 || e.Value("nsAccountLock") != "") {
		v.add("an account has leftovers", "%s: %s", e.DN, e.Values("cn"))
	}
	if s.members[strings.ToLower(string(e.DN))] != t.member {
		v.add("a group has a stranger or lacks a member", "%s, member: %v", e.DN, !t.member)
	}
	ctx := context.Background()
	if login, err := a.service.Authenticate(ctx, e.DN, t.password); login != directory.LoginGranted {
		v.add("its own password is no good", "%s: %v, %v", e.DN, login, err)
	}
	strangers := 0
	for _, other := range attempts {
		if other.user != t.user || other == t || strangers == 2 {
			continue
		}
		strangers++
		if login, _ := a.service.Authenticate(ctx, e.DN, other.password); login == directory.LoginGranted {
			v.add("another attempt's password is good", "%s", e.DN)
		}
	}
}

// checkCreations returns how many accounts there are.
func (a *arena) checkCreations(v *violations, names []token, attempts []*attempt, acks *acknowledged) int {
	s := a.look(v, names)
	for id, e := range s.accounts {
		var of *attempt
		for _, t := range attempts {
			if s.claim(t.user, 2) == string(t.id) && strings.EqualFold(e.Value(a.settings.People.Username), string(t.user)) {
				of = t
			}
		}
		if of == nil {
			v.add("an account of no attempt", "%s", e.DN)
			continue
		}
		a.checkAccount(v, s, id, e, of, attempts)
		if e.Value("mail") != of.alias.mail() || !s.isHeldBy(of.alias, id) || s.claim(of.alias, 2) != string(of.id) {
			v.add("an account without a claim", "%s: %s", e.DN, s.claims[of.alias])
		}
	}
	for t, ids := range acks.ids {
		if len(ids) > 1 {
			v.add("an attempt has several accounts", "%d", len(ids))
		}
		for id := range ids {
			if _, there := s.accounts[string(id)]; !there {
				v.add("an acknowledged account is gone", "%s, claims %s and %s", t.user, s.claims[t.user], s.claims[t.alias])
			}
		}
	}
	return len(s.accounts)
}
