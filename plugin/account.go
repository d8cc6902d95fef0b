package plugin

import (
	"slices"
	"time"
)

// ID names an account for ever: it never changes and is never used again. 1 to 128 bytes of visible ASCII.
type ID string

// Attempt is the id of one registration's try to become an account, and the idempotency key of Create: 32 lower-case
// hexadecimal digits. One attempt has one content; in particular it is never executed with two passwords.
type Attempt string

// KeyKind says what sort of name a key is.
type KeyKind string

// The kinds of keys. Username, email and phone are identifiers and share one namespace of canonical keys.
const (
	KindUsername KeyKind = "username"
	KindEmail    KeyKind = "email"
	KindPhone    KeyKind = "phone"
	// KindUnique marks the key of a value that is no identifier but may stand in one account only.
	KindUnique KeyKind = "unique"
)

// Key is a name that only one account can hold.
type Key struct {
	Kind KeyKind
	// Canonical is the one string that all equal spellings share; uniqueness is uniqueness of Canonical, byte by
	// byte. It is opaque to a store. 1 to 512 bytes.
	Canonical string
	// Value is the identifier as the person typed it. It is what the store keeps in Attribute and shows.
	Value string
	// Attribute is the attribute that holds Value. For the username, too.
	Attribute string
	// Login tells whether the key can be used to log in; otherwise it is merely unique.
	Login bool
}

// NewAccount is an account to be created. Its names and texts have at most MaxAccountBytes in all.
type NewAccount struct {
	Attempt Attempt
	// NotAfter is when this execution loses its right to commit.
	NotAfter time.Time
	// Keys has exactly one key of KindUsername. No two keys share Canonical.
	Keys []Key
	// Attributes by name. The value of a key stands only in its key.
	Attributes Attributes
	// Password may be empty only for an account that nobody can log in to until SetPassword.
	Password Secret
	State    State
	// Groups by the names that the store's own configuration gives them.
	Groups []string
}

// Username returns the value of the account's username key, or "".
func (a NewAccount) Username() string { return usernameIn(a.Keys) }

func usernameIn(keys []Key) string {
	for _, k := range keys {
		if k.Kind == KindUsername {
			return k.Value
		}
	}
	return ""
}

// Account returns the account that a becomes once a store has committed it under id.
func (a NewAccount) Account(id ID, createdAt time.Time) Account {
	made := Account{ID: id, Username: a.Username(), Attributes: Attributes{}, State: a.State,
		Groups: slices.Clone(a.Groups), CreatedAt: createdAt.UTC().Truncate(time.Second)}
	for name, values := range a.Attributes {
		if len(values) > 0 {
			made.Attributes[name] = slices.Clone(values)
		}
	}
	for _, k := range a.Keys {
		made.Attributes[k.Attribute] = append(made.Attributes[k.Attribute], StringValue(k.Value))
	}
	return made
}

// State tells whether an account may be used. The zero State is active.
type State struct {
	Locked bool
	// Reason is why the account is locked, for administrators: up to 256 bytes, empty for an active account.
	// A store that cannot keep reasons says so by leaving it empty in what it returns.
	Reason string
}

// Account is what a store has, as it shows it.
type Account struct {
	ID       ID
	Username string
	// Attributes holds everything the store was given, the values of the keys among them under their attributes.
	// Sets: the order of several values means nothing.
	Attributes Attributes
	State      State
	// Groups is a set. A store that cannot tell cheaply leaves it empty.
	Groups []string
	// CreatedAt is when the account was committed, to the second, UTC; zero when the store cannot tell.
	CreatedAt time.Time
}

// Attributes holds values by the name of their attribute. An absent attribute and one with no values are the same.
// What is to be stored has no empty text and no value twice, because no directory could hold it.
type Attributes map[string][]Value

// Text returns the text of the attribute's first value, or "".
func (a Attributes) Text(name string) string {
	if vs := a[name]; len(vs) > 0 {
		return vs[0].Text
	}
	return ""
}
