package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// effective asks Active Directory whether the service account may write an attribute.
func (r *prober) effective(ctx context.Context, dn directory.DN, name string) (bool, error) {
	e, err := r.pool.Read(ctx, dn, "allowedAttributesEffective")
	if err != nil && !directory.Refused(err) {
		return false, err
	}
	return slices.ContainsFunc(e.Values("allowedAttributesEffective"), func(a string) bool { return strings.EqualFold(a, name) }), nil
}

// moveInDomain renames the entry within ou=pending and back, and asks which classes may be added below ou=people.
func (r *prober) moveInDomain(ctx context.Context, dn directory.DN) error {
	s := r.plan.Settings
	aside := s.Pending.Child("cn", run()+"-"+CheckName)
	err := r.pool.Move(ctx, dn, aside, true, directory.Filter{})
	ok, fatal := r.judge(toChangeStaged, err)
	if fatal != nil {
		return fatal
	}
	if ok {
		if err := r.pool.Move(ctx, aside, dn, true, directory.Filter{}); err != nil {
			return err
		}
	}
	e, err := r.pool.Read(ctx, s.People.Base, "allowedChildClassesEffective")
	if err == nil && !slices.ContainsFunc(e.Values("allowedChildClassesEffective"), func(c string) bool { return strings.EqualFold(c, s.People.AccountClass) }) {
		err = &directory.Error{Operation: "read", Code: directory.InsufficientAccessRights}
	}
	_, fatal = r.judge(toMoveIn, err)
	return fatal
}

// takeAwayInDomain reads the rights that moving an account out of ou=people takes: on the account's two names, and on its
// place. Where the server does not show descriptors, only the one of cn is
// seen.
func (r *prober) takeAwayInDomain(ctx context.Context, person directory.DN) error {
	mine, err := r.effective(ctx, person, "cn")
	if err != nil {
		return err
	}
	who, err := r.identities(ctx)
	if err != nil {
		return err
	}
	class, _ := r.plan.schemaID(r.plan.Settings.People.AccountClass)
	name, _ := r.plan.schemaID("name")
	for _, needed := range []struct {
		dn     directory.DN
		right  right
		object string
	}{{r.plan.Settings.People.Base, deleteChild, class}, {person, writeProperty, name}} {
		sd, err := r.pool.Descriptor(ctx, needed.dn)
		if err != nil && !directory.Refused(err) {
			return err
		}
		if list, shown := accessList(sd); shown {
			mine = mine && list.allows(who, needed.right, needed.object)
		}
	}
	if !mine {
		r.refuse(Delete, toTakeAway, "")
	}
	return nil
}

// identities are the security identifiers that the service account has: its own, its groups', and those of everybody.
func (r *prober) identities(ctx context.Context) ([]string, error) {
	e, err := serviceEntry(ctx, r.pool, &r.plan)
	if err == nil {
		e, err = r.pool.Read(ctx, e.DN, "objectSid", "tokenGroups")
	}
	if err != nil && !directory.Refused(err) {
		return nil, err
	}
	all := []string{"S-1-1-0", "S-1-5-11", r.plan.ServiceSID}
	for _, sid := range append(e.Values("objectSid"), e.Values("tokenGroups")...) {
		all = append(all, sidText(sid))
	}
	return all, nil
}
