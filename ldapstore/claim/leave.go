package claim

import (
	"context"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// leaveGroups removes an account's name from every group of the settings. On Active Directory the links go with the entry.
func (s *Store) leaveGroups(ctx context.Context, st *state) error {
	if s.Server.Kind == directory.ActiveDirectory {
		return nil
	}
	_, username := st.dn.RDN()
	member := entry.Member{DN: st.dn, ID: st.id, Username: username}
	for group := range s.Settings.Groups {
		err := s.Settings.Leave(ctx, s.Operations, group, member)
		if err != nil && !directory.Refused(err, directory.NoSuchObject, directory.UnwillingToPerform, directory.ObjectClassViolation) {
			return err
		}
	}
	return nil
}

// halve ends the first half of a username's hold: any late write of its last owner to a group has arrived, so the name is
// removed once more; in the second half a late removal of this kind arrives.
func (s *Store) halve(ctx context.Context, name string, st *state) error {
	if err := s.leaveGroups(ctx, st); err != nil {
		return err
	}
	to := state{phase: reserved, kind: st.kind, id: st.id, until: s.Clock().Add(s.Settings.UsernameHold / 2)}
	_, err := s.swap(ctx, name, st.text, to)
	return err
}

// putBack moves an entry back that a late deletion of the last owner of its name has moved out: it waits under an id that
// is not its own. 389 alone has no fence against that.
func (s *Store) putBack(ctx context.Context, at directory.DN, id plugin.ID) (foreign bool, err error) {
	var e directory.Entry
	err = try(ctx, func() (err error) {
		e, err = s.Operations.Read(ctx, at, s.Server.IDAttribute(), s.Settings.People.Username, s.Settings.People.RDN.Attribute)
		return err
	})
	if directory.Refused(err, directory.NoSuchObject) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	name := e.Value(s.Settings.People.RDN.Attribute)
	if s.Server.EntryID(e) == string(id) || name == "" {
		return false, nil
	}
	s.Log.WarnContext(ctx, "an entry that a late deletion has moved is put back", "account", s.Server.EntryID(e))
	to := s.Settings.People.Base.Child(s.Settings.People.RDN.Attribute, name)
	err = try(ctx, func() error { return s.Operations.Move(ctx, at, to, true, directory.Filter{}) })
	if s.gone(err) {
		err = nil
	}
	return true, err
}
