package entry

import (
	"fmt"

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

// HoldingAny is the filter for accounts that carry one of the keys: those who collide with a new account.
func (s *Settings) HoldingAny(keys []plugin.Key) directory.Filter {
	var any []directory.Filter
	for _, k := range keys {
		for _, attribute := range s.Keys[k.Kind] {
			any = append(any, directory.Equal(attribute, k.Value))
		}
	}
	return directory.And(s.Accounts(), directory.Or(any...))
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

// KeyChanges returns the changes that take one key from an entry and give it another; either may be nil. What is taken is
// the spelling that the entry has of it, or the key's own.
func (s *Settings) KeyChanges(e directory.Entry, drop, add *plugin.Key) ([]directory.Change, error) {
	var changes []directory.Change
	for _, c := range []struct {
		key  *plugin.Key
		kind directory.ChangeKind
	}{{drop, directory.DeleteValues}, {add, directory.AddValues}} {
		if c.key == nil {
			continue
		}
		attribute, err := s.KeyAttribute(*c.key)
		if err != nil {
			return nil, fmt.Errorf("change a key: %w", err)
		}
		if c.key.Kind == plugin.KindUsername {
			return nil, fmt.Errorf("change a key: %w", plugin.Refused(c.key.Attribute, plugin.CodeReadOnly))
		}
		value := c.key.Value
		if c.kind == directory.DeleteValues {
			value = spelling(e.Values(attribute), value)
		}
		changes = append(changes, directory.Change{Kind: c.kind, Attribute: directory.Attribute{Name: attribute, Values: []string{value}}})
	}
	return changes, nil
}

// spelling is the value among those that differs from one in case alone; itself, where there is none.
func spelling(values []string, value string) string {
	for _, v := range values {
		if v == value {
			return v
		}
	}
	for _, v := range values {
		if listed([]string{v}, value) {
			return v
		}
	}
	return value
}
