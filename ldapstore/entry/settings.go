package entry

import (
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Settings is the admin's file with every default filled in. Names of directory attributes are as the admin writes them;
// they compare without regard to case.
type Settings struct {
	// Kind is the server's, Base the entry that everything stands below.
	Kind directory.Kind
	Base directory.DN

	People People
	// Attributes maps the name that the flows file gives an attribute to the directory's, where the two differ.
	Attributes map[string]string
	// OnlyInTemplates are attributes of flows that are not stored themselves.
	OnlyInTemplates []string
	// Constants, Templates and Numbers, by directory attribute, are what every new entry gets beside what people enter.
	// Templates fill what nobody entered: the first of an attribute's list that has all its values.
	Constants map[string][]string
	Templates map[string][]Template
	Numbers   map[string]Numbers
	// Groups by the name that flows use, and those that every new account joins.
	Groups        map[string]Group
	DefaultGroups []string
	// Keys are the directory attributes that hold identifiers and unique values, by kind; nothing else may fill them.
	Keys map[plugin.KeyKind][]string
	// Identifiers and Pending hold claims and unfinished entries.
	Identifiers, Pending directory.DN
	// Mark is the single-valued attribute that every change of a key replaces, so that a late one is seen.
	Mark     string
	Lock     Lock
	Password Password
	// UsernameHold is how long the name of a deleted account is kept from others, in two halves.
	UsernameHold time.Duration
	// must are the attributes that the schema demands of an entry: see With.
	must   []string
	schema *directory.Schema
	// Readers are the URLs of replicas that look-ups may ask.
	Readers []string
}

// People says where accounts stand and what they are.
type People struct {
	Base directory.DN
	// RDN names an entry below Base. It always holds the username, which only one account has.
	RDN RDN
	// ObjectClasses of a new entry; AccountClass is the one that tells accounts from other entries.
	ObjectClasses []string
	AccountClass  string
	// Username is the directory attribute that holds the username.
	Username string
}

// RDN is one attribute with the template of its value.
type RDN struct {
	Attribute string
	Value     Template
}

// Numbers is a range from which an attribute gets a number that no other account has.
type Numbers struct {
	From, To int64
	// Counter is the entry that holds the next number in CounterAttribute.
	Counter          directory.DN
	CounterAttribute string
	// Block is how many numbers one process takes at once.
	Block int64
}

// GroupKind says how a group lists its members.
type GroupKind string

// The kinds of group.
const (
	GroupOfNames       GroupKind = "groupOfNames"       // member: DN
	GroupOfUniqueNames GroupKind = "groupOfUniqueNames" // uniqueMember: DN
	PosixGroup         GroupKind = "posixGroup"         // memberUid: username
	ADGroup            GroupKind = "ad"                 // member, by <GUID=…>
)

// Group is a group that flows can name.
type Group struct {
	DN   directory.DN
	Kind GroupKind
}

// Lock says how an account is locked.
type Lock struct {
	Method LockMethod
	// Reason is the directory attribute that keeps why; empty: nowhere.
	Reason string
	auto   bool
}

// LockMethod is the attribute that locks an entry.
type LockMethod string

// The methods.
const (
	LockStart   LockMethod = "pwdStartTime"         // draft-behera-ldap-password-policy; survives new passwords
	LockPolicy  LockMethod = "pwdAccountLockedTime" // the same draft; a new password unlocks
	LockAccount LockMethod = "nsAccountLock"        // 389 Directory Server
	LockControl LockMethod = "userAccountControl"   // Active Directory
	LockNone    LockMethod = "none"                 // accounts cannot be locked
)

// Password says who makes the stored form of a password.
type Password struct {
	Hash HashScheme
	// Memory in KiB, Passes and Lanes of argon2id (RFC 9106).
	Memory, Passes uint32
	Lanes          uint8
}

// HashScheme is how a password is stored.
type HashScheme string

// The schemes.
const (
	HashByServer HashScheme = "server"  // RFC 3062, a clear userPassword on 389, unicodePwd on AD: the server judges and hashes
	HashSSHA512  HashScheme = "ssha512" // {SSHA512}, slapd's pw-sha2
	HashArgon2id HashScheme = "argon2id"
)

// KeyKind tells which kind of key a directory attribute holds, if it holds keys.
func (s *Settings) KeyKind(attribute string) (plugin.KeyKind, bool) {
	for kind, attributes := range s.Keys {
		if listed(attributes, attribute) {
			return kind, true
		}
	}
	return "", false
}

// DirectoryAttribute is where an attribute of a flow is stored; false for one that is only used in templates.
func (s *Settings) DirectoryAttribute(name string) (string, bool) {
	if slices.Contains(s.OnlyInTemplates, name) {
		return "", false
	}
	if attribute, mapped := s.Attributes[name]; mapped {
		return s.canonical(attribute), true
	}
	return s.canonical(name), true
}

// FlowAttribute is the name that flows give a directory attribute.
func (s *Settings) FlowAttribute(attribute string) string {
	for name, mapped := range s.Attributes {
		if strings.EqualFold(s.canonical(mapped), s.canonical(attribute)) {
			return name
		}
	}
	return attribute
}
