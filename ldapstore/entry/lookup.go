package entry

import (
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Accounts is the filter for entries that are accounts. On Active Directory a computer is a user, too, and no account.
func (s *Settings) Accounts() directory.Filter {
	accounts := directory.Equal("objectClass", s.People.AccountClass)
	if s.Kind == directory.ActiveDirectory {
		return directory.And(accounts, directory.Not(directory.Equal("objectClass", "computer")))
	}
	return accounts
}

// Holding is the filter for accounts that carry the value of a key where keys of its kind stand, as the server compares.
func (s *Settings) Holding(k plugin.Key) directory.Filter {
	var places []directory.Filter
	for _, attribute := range s.Keys[k.Kind] {
		places = append(places, directory.Equal(attribute, k.Value))
	}
	return directory.And(s.Accounts(), directory.Or(places...))
}

// KeyAttribute is the directory attribute that holds a key. One that keys of its kind do not stand in is ErrInvalid in a
// *FieldError.
func (s *Settings) KeyAttribute(k plugin.Key) (string, error) {
	attribute, stored := s.DirectoryAttribute(k.Attribute)
	if kind, holds := s.KeyKind(attribute); !stored || !holds || kind != k.Kind {
		return "", plugin.Refused(k.Attribute, plugin.CodeUnknown)
	}
	return attribute, nil
}
