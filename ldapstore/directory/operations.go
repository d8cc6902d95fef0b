package directory

import "context"

// Operations are the requests of RFC 4511 as one identity sends them to one server. Every call has a deadline: that of
// ctx, or the pool's if it is shorter. An error is an *Error (the server refused), ErrUnreachable (nothing was sent; it may
// wrap the context's error too), ErrUnanswered (it was sent and nothing came back: it may happen, now or later; never with a
// context error) or ErrUnsupported. Referrals are refusals, continuation references of a search are left out: no other
// server is ever asked.
type Operations interface {
	// Add makes an entry.
	Add(ctx context.Context, dn DN, attributes []Attribute) error

	// Modify applies all changes or none. assert, if not zero, must hold for the entry (RFC 4528).
	Modify(ctx context.Context, dn DN, changes []Change, assert Filter) error

	// Move renames an entry and puts it below another parent in one ModifyDN. assert as in Modify.
	Move(ctx context.Context, dn, to DN, deleteOldRDN bool, assert Filter) error

	// Delete removes an entry without children.
	Delete(ctx context.Context, dn DN) error

	// Read returns one entry with the attributes asked for, none named being none. An absent one is an *Error with
	// NoSuchObject.
	Read(ctx context.Context, dn DN, attributes ...string) (Entry, error)

	// Search returns the entries at or below base, at most limit of them (0: no limit of ours; the server may have one,
	// which is an *Error with SizeLimitExceeded). The zero filter is every entry. Answers of more than some ten thousand
	// entries are cut off as ErrUnanswered: Each reads those.
	Search(ctx context.Context, base DN, scope Scope, filter Filter, limit int, attributes ...string) ([]Entry, error)

	// SetPassword lets the server hash a new password (RFC 3062; Active Directory: unicodePwd). An empty one is
	// ErrEmptyPassword.
	SetPassword(ctx context.Context, dn DN, password string) error

	// Increment adds by to an INTEGER attribute and returns the value it had (RFC 4525, RFC 4527).
	Increment(ctx context.Context, dn DN, attribute string, by int64) (int64, error)
}

// Scope is how far a search reaches (RFC 4511, section 4.5.1.2).
type Scope int

// The scopes.
const (
	Base Scope = iota
	OneLevel
	Subtree
)

// Attribute is a name with its values. Values are octets; only a server's syntax makes them text.
type Attribute struct {
	Name   string
	Values []string
}

// ChangeKind is what a Change does (RFC 4511, section 4.6).
type ChangeKind int

// The kinds of change.
const (
	AddValues ChangeKind = iota
	DeleteValues
	ReplaceValues
)

// Change is a part of a Modify. DeleteValues of a value that is not there is refused with NoSuchAttribute: deleting what
// was read and adding what shall be is a compare-and-swap on every server. ReplaceValues without values removes the
// attribute, also an absent one.
type Change struct {
	Kind ChangeKind
	Attribute
}

// Entry is what a search returned.
type Entry struct {
	DN         DN
	Attributes []Attribute
}

// Operation names one request for a Hook.
type Operation struct {
	Name string // add, modify, move, delete, read, search, password, increment
	DN   DN     // its target, or the base of a search
}

// Hook is called before every operation; an error stands for the operation's outcome. Tests kill and stall with it.
type Hook func(ctx context.Context, op Operation) error
