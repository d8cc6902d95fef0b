package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
)

// accounts tries the rights on accounts at rest, on one that is there.
func (r *prober) accounts(ctx context.Context) error {
	s := r.plan.Settings
	created := "createTimestamp" // every entry has one
	if s.Kind == directory.ActiveDirectory {
		created = "whenCreated"
	}
	found, err := r.pool.Search(ctx, s.People.Base, directory.OneLevel, directory.Equal("objectClass", s.People.AccountClass), 1, r.server.IDAttribute(), s.People.Username, created)
	switch {
	case directory.Refused(err, directory.NoSuchObject):
		return nil // told with the other entries
	case err != nil && !directory.Refused(err):
		return err
	case err != nil:
		_, fatal := r.judge(toReadPeople, err)
		return fatal
	case len(found) == 0:
		return r.nobody(ctx)
	}
	person := found[0]
	if r.server.EntryID(person) == "" || person.Value(s.People.Username) == "" || person.Value(created) == "" {
		r.refuse(Create, toReadPeople, "")
	}
	if err := r.askPassword(ctx, person.DN); err != nil {
		return err
	}
	for _, c := range r.plan.inUse() {
		if err := r.account(ctx, c, person.DN); err != nil {
			return err
		}
	}
	return nil
}

// askPassword asks whether an account has a password or has none: one of the two is so, unless the server does not tell.
func (r *prober) askPassword(ctx context.Context, person directory.DN) error {
	if r.server.Kind == directory.ActiveDirectory {
		return nil
	}
	has := directory.Present("userPassword")
	found, err := r.pool.Search(ctx, person, directory.Base, directory.Or(has, directory.Not(has)), 1)
	if err != nil && !directory.Refused(err) {
		return err
	}
	if len(found) == 0 {
		r.refuse(Create, toAskPasswords, "")
	}
	return nil
}

// nobody notes that rights on accounts could not be tried.
func (r *prober) nobody(ctx context.Context) error {
	if _, err := r.pool.Read(ctx, r.plan.Settings.People.Base, "objectClass"); err != nil {
		if directory.Refused(err) {
			return nil // told with the other entries
		}
		return err
	}
	for _, c := range []Capability{ChangeAliases, ChangeAttributes, SetPassword, Lock, Delete} {
		if r.plan.wants(c) {
			r.untried = append(r.untried, c)
		}
	}
	if len(r.untried) > 0 {
		r.report.note(rightsCheck, fmt.Sprintf("not tried yet: %s. There is no account in %s; look again after the first registration", list(r.untried), r.plan.Settings.People.Base))
	}
	return nil
}

func (r *prober) account(ctx context.Context, c Capability, person directory.DN) error {
	switch c {
	case ChangeAliases:
		return r.write(ctx, c, person, append(r.plan.aliases(), r.plan.Settings.Mark))
	case ChangeAttributes:
		return r.write(ctx, c, person, append(r.plan.plain(), r.plan.Settings.Mark))
	case Lock:
		return r.write(ctx, c, person, r.plan.locks())
	case SetPassword:
		return r.setPassword(ctx, person)
	case Delete:
		return r.takeAway(ctx, person)
	default:
		return nil
	}
}

// write tries to delete a value from each attribute that it has not. userAccountControl cannot be compared on Samba, where
// it would change: there the server is asked.
func (r *prober) write(ctx context.Context, c Capability, person directory.DN, attributes []string) error {
	var refused []string
	for _, name := range attributes {
		if strings.EqualFold(name, string(entry.LockControl)) {
			mine, err := r.effective(ctx, person, name)
			if err != nil {
				return err
			}
			if !mine {
				refused = append(refused, name)
			}
			continue
		}
		err := r.pool.Modify(ctx, person, absent(name, r.impossible(name)), directory.Filter{})
		switch {
		case directory.Refused(err, directory.InsufficientAccessRights):
			refused = append(refused, name)
		case err != nil && !directory.Refused(err):
			return err
		}
	}
	if len(refused) == 0 {
		return nil
	}
	r.allowed[c] = false
	r.report = append(r.report, Finding{Check: rightsCheck, Level: level(c),
		Text: fmt.Sprintf("%s: the service account may not write %s of accounts", c, strings.Join(refused, ", ")), Fix: r.plan.fix(toWritePeople)})
	return nil
}

// impossible is a value of the attribute's syntax that no entry has.
func (r *prober) impossible(name string) string {
	a, _ := r.plan.Schema.Attribute(name)
	switch a.Syntax {
	case "1.3.6.1.4.1.1466.115.121.1.24": // a time (RFC 4517, section 3.3.13): in a year before all
		return "16010101000000Z"
	case "1.3.6.1.4.1.1466.115.121.1.27": // a number
		return "-2147483648"
	case "1.3.6.1.1.16.1": // a UUID (RFC 4530)
		u := randomHex(16)
		return strings.Join([]string{u[:8], u[8:12], u[12:16], u[16:20], u[20:]}, "-")
	case "1.3.6.1.4.1.1466.115.121.1.7":
		return "FALSE"
	case "1.3.6.1.4.1.1466.115.121.1.12": // a DN
		return string(r.plan.Settings.Pending.Child("cn", randomHex(16)))
	case "1.3.6.1.4.1.1466.115.121.1.50": // a telephone number
		return "+999 " + strings.Map(func(c rune) rune { return '0' + c%10 }, randomHex(16))
	default:
		return "check-" + randomHex(16)
	}
}

// setPassword tries to delete a password that is not there, and on Active Directory to set one that is none.
func (r *prober) setPassword(ctx context.Context, person directory.DN) error {
	changes := absent("userPassword", randomHex(16))
	if r.server.Kind == directory.ActiveDirectory {
		changes = []directory.Change{replaced("unicodePwd", "x")}
	}
	err := r.pool.Modify(ctx, person, changes, directory.Filter{})
	if err != nil && !directory.Refused(err) {
		return err
	}
	if directory.Refused(err, directory.InsufficientAccessRights) {
		r.refuse(SetPassword, toSetPasswords, "")
	}
	return nil
}

// takeAway tries to move an account below an entry that there is none: no server does that, but to those who may not do it
// they give that for a reason. Active Directory does not look at rights first: there the rights are read.
func (r *prober) takeAway(ctx context.Context, person directory.DN) error {
	if r.server.Kind == directory.ActiveDirectory {
		return r.takeAwayInDomain(ctx, person)
	}
	nowhere := r.plan.Settings.Pending.Child("ou", randomHex(16)).Child("cn", randomHex(10))
	err := r.pool.Move(ctx, person, nowhere, false, directory.Filter{})
	if err != nil && !directory.Refused(err) {
		return err
	}
	if directory.Refused(err, directory.InsufficientAccessRights) {
		r.refuse(Delete, toTakeAway, "")
	}
	return nil
}

// groups tries to remove somebody who is not there from each group.
func (r *prober) groups(ctx context.Context) error {
	if !r.plan.wants(ChangeGroups) {
		return nil
	}
	for _, g := range r.plan.groups() {
		name := memberAttribute(g.Kind)
		value := string(r.plan.Settings.Pending.Child("cn", randomHex(10)))
		if g.Kind == entry.PosixGroup {
			value = "check-" + randomHex(10)
		}
		err := r.pool.Modify(ctx, g.DN, absent(name, value), directory.Filter{})
		switch {
		case directory.Refused(err, directory.InsufficientAccessRights):
			r.refuseGroup(g, fmt.Sprintf("the service account may not write %s of %s", name, g.DN), r.plan.fixFor(toChangeGroups, string(g.DN)))
		case directory.Refused(err, directory.NoSuchObject):
			r.refuseGroup(g, fmt.Sprintf("there is no group %s", g.DN), "make it, or correct groups in the persister's file")
		case directory.Refused(err, directory.UndefinedAttributeType, directory.ObjectClassViolation):
			r.refuseGroup(g, fmt.Sprintf("%s cannot have %s: %s", g.DN, name, answer(err)), "correct the kind of the group in the persister's file")
		case err != nil && !directory.Refused(err):
			return err
		}
	}
	return nil
}

// refuseGroup notes a group that cannot be joined: a failure where every new account joins it.
func (r *prober) refuseGroup(g entry.Group, problem, fix string) {
	r.allowed[ChangeGroups] = false
	how := Warning
	for _, name := range r.plan.Settings.DefaultGroups {
		if r.plan.Settings.Groups[name].DN.Equal(g.DN) {
			how = Failure
		}
	}
	r.report = append(r.report, Finding{Check: rightsCheck, Level: how, Text: "groups: " + problem, Fix: fix})
}
