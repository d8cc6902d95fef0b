package entry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Member is an account as groups name it.
type Member struct {
	DN       directory.DN
	ID       plugin.ID
	Username string
}

// groupsOf returns the groups of a new account: the default ones and those asked for, each once.
func (s *Settings) groupsOf(asked []string) ([]string, error) {
	names := slices.Clone(s.DefaultGroups)
	for _, name := range asked {
		if _, known := s.Groups[name]; !known {
			return nil, plugin.Refused(name, plugin.CodeUnknown)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// attribute is where a group of the kind lists its members.
func (k GroupKind) attribute() string {
	switch k {
	case GroupOfUniqueNames:
		return "uniqueMember"
	case PosixGroup:
		return "memberUid"
	default:
		return "member"
	}
}

// value is how a group of the kind names a member. On Active Directory it is the id, so that a late addition can never
// reach whoever gets the name next.
func (k GroupKind) value(m Member) string {
	switch k {
	case PosixGroup:
		return m.Username
	case ADGroup:
		name, _ := directory.Server{Kind: directory.ActiveDirectory}.ByID(string(m.ID))
		return string(name)
	default:
		return string(m.DN)
	}
}

// Join adds an account to a group; being there already is success. An unknown group is ErrInvalid.
func (s *Settings) Join(ctx context.Context, ops directory.Operations, name string, m Member) error {
	return s.change(ctx, ops, name, m, directory.AddValues)
}

// Leave removes an account from a group; not being there is success. An unknown group is ErrInvalid.
func (s *Settings) Leave(ctx context.Context, ops directory.Operations, name string, m Member) error {
	return s.change(ctx, ops, name, m, directory.DeleteValues)
}

func (s *Settings) change(ctx context.Context, ops directory.Operations, name string, m Member, kind directory.ChangeKind) error {
	g, known := s.Groups[name]
	if !known {
		return plugin.Refused(name, plugin.CodeUnknown)
	}
	change := directory.Change{Kind: kind, Attribute: directory.Attribute{Name: g.Kind.attribute(), Values: []string{g.Kind.value(m)}}}
	err := ops.Modify(ctx, g.DN, []directory.Change{change}, directory.Filter{})
	if already(err, g.Kind, kind) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("change a group: %w", err)
	}
	return nil
}

// notThere are the words of Active Directory and of Samba for a member that is not there: both answer 53 to that and to much
// else. The numbers are ERROR_MEMBER_NOT_IN_GROUP and ERROR_MEMBER_NOT_IN_ALIAS (MS-ERREF, section 2.2).
var notThere = []string{"00000529", "00000561", "already deleted"}

// already tells whether a refusal means that what was asked for is so.
func already(err error, group GroupKind, kind directory.ChangeKind) bool {
	switch {
	case kind == directory.AddValues && group == ADGroup:
		return directory.Refused(err, directory.AttributeOrValueExists, directory.EntryAlreadyExists)
	case kind == directory.AddValues:
		return directory.Refused(err, directory.AttributeOrValueExists)
	case group == ADGroup && directory.Refused(err, directory.UnwillingToPerform):
		var refusal *directory.Error
		return errors.As(err, &refusal) && slices.ContainsFunc(notThere, func(words string) bool { return strings.Contains(refusal.Diagnostic, words) })
	default:
		return directory.Refused(err, directory.NoSuchAttribute)
	}
}

// groupsAt returns the groups of the settings that stand at one of these names.
func (s *Settings) groupsAt(dns []directory.DN) []string {
	var names []string
	for _, name := range sortedNames(s.Groups) {
		if slices.ContainsFunc(dns, s.Groups[name].DN.Equal) {
			names = append(names, name)
		}
	}
	return names
}

// memberOf reads the groups of the settings that an entry says it is in: those that list DNs, where the server has such an
// attribute.
func (s *Settings) memberOf(e directory.Entry) []string {
	var dns []directory.DN
	for _, text := range e.Values("memberOf") {
		dns = append(dns, directory.DN(text))
	}
	return s.groupsAt(dns)
}
