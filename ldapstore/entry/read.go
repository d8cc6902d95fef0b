package entry

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// ErrNoAccount is an entry without the username or the id that every account has.
var ErrNoAccount = errors.New("the entry is no account")

// ReadAttributes are those to ask for, so that Parse and Usable have what they need: everything that is stored, and by
// name what servers only show when asked.
func (s *Settings) ReadAttributes() []string {
	wanted := []string{"*", directory.Server{Kind: s.Kind}.IDAttribute(), "memberOf"}
	switch s.Kind {
	case directory.ActiveDirectory:
		return append(wanted, "whenCreated", string(LockControl), "accountExpires", "pwdLastSet")
	case directory.DS389:
		return append(wanted, "createTimestamp", string(LockAccount), "pwdUpdateTime")
	default:
		return append(wanted, "createTimestamp", string(LockStart), string(LockPolicy), "pwdEndTime", "pwdChangedTime")
	}
}

// Parse shows an entry as an account: attributes under the names that flows give them, everything as text. What is no
// text, too long or the directory's own business is left out.
func (s *Settings) Parse(e directory.Entry, now time.Time) (plugin.Account, error) {
	id, err := s.ID(e)
	if err != nil {
		return plugin.Account{}, err
	}
	a := plugin.Account{ID: id, Username: s.usernameOf(e), Attributes: plugin.Attributes{}, State: s.StateOf(e, now), Groups: s.memberOf(e), CreatedAt: createdAt(e)}
	for _, attribute := range e.Attributes {
		if values := s.shown(attribute); values != nil && len(a.Attributes) < plugin.MaxAttributes {
			a.Attributes[s.FlowAttribute(attribute.Name)] = values
		}
	}
	if a.Validate() != nil { // it has no username, or one that is no text
		return plugin.Account{}, fmt.Errorf("read an entry: %w", ErrNoAccount)
	}
	return a, nil
}

// unseen are attributes that tell nothing about a person.
var unseen = []string{
	"objectClass", "userPassword", "unicodePwd", "memberOf", "dn", "createTimestamp", "modifyTimestamp", "creatorsName", "modifiersName",
	"pwdChangedTime", "pwdUpdateTime", "entryUUID", "entryDN", "entryCSN", "nsUniqueId", "structuralObjectClass", "subschemaSubentry",
	"hasSubordinates", "shadowExpire", string(LockStart), "pwdEndTime", string(LockPolicy), "pwdReset", "pwdFailureTime", "pwdHistory",
	string(LockAccount), string(LockControl),
	// Active Directory answers "*" with its own book-keeping.
	"objectGUID", "objectSid", "objectCategory", "distinguishedName", "name", "instanceType", "whenCreated", "whenChanged", "uSNCreated",
	"uSNChanged", "badPwdCount", "badPasswordTime", "codePage", "countryCode", "lastLogon", "lastLogoff", "lastLogonTimestamp", "logonCount",
	"pwdLastSet", "primaryGroupID", "accountExpires", "sAMAccountType", "lockoutTime", "dSCorePropagationData", "isCriticalSystemObject",
	"msDS-SupportedEncryptionTypes", "adminCount", "nTSecurityDescriptor",
}

// shown returns what an account shows of an attribute; nil for nothing.
func (s *Settings) shown(attribute directory.Attribute) []plugin.Value {
	name := attribute.Name
	if listed(unseen, name) || strings.EqualFold(name, s.Mark) || strings.EqualFold(name, s.Lock.Reason) ||
		!directoryName.MatchString(name) || len(attribute.Values) > plugin.MaxValues {
		return nil
	}
	var values []plugin.Value
	for _, text := range attribute.Values {
		v := plugin.StringValue(text)
		if text == "" || len(text) > plugin.MaxValueBytes || v.Validate() != nil {
			return nil
		}
		values = append(values, v)
	}
	return values
}

// usernameOf is the value of the username's attribute: the one in the entry's name, where there are several.
func (s *Settings) usernameOf(e directory.Entry) string {
	values := e.Values(s.People.Username)
	for _, v := range values {
		if strings.EqualFold(s.People.RDN.Attribute, s.People.Username) && s.People.Base.Child(s.People.RDN.Attribute, v).Equal(e.DN) {
			return v
		}
	}
	return e.Value(s.People.Username)
}

// ID returns an entry's id, which never changes: the text of entryUUID, nsUniqueId or objectGUID.
func (s *Settings) ID(e directory.Entry) (plugin.ID, error) {
	id := plugin.ID(directory.Server{Kind: s.Kind}.EntryID(e))
	if err := id.Validate(); err != nil {
		return "", fmt.Errorf("read an entry: %w", ErrNoAccount)
	}
	return id, nil
}

// createdAt is when the server made the entry; for accounts made here, when they were staged.
func createdAt(e directory.Entry) time.Time {
	for _, attribute := range []string{"createTimestamp", "whenCreated"} {
		text := e.Value(attribute)
		for _, layout := range []string{generalizedTime, "20060102150405.0Z"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.UTC()
			}
		}
	}
	return time.Time{}
}
