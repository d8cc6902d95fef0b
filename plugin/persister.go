package plugin

import (
	"context"
	"time"
)

// ContractVersion is the version of this contract. A host refuses a persister that speaks another one. Within a version
// nothing is taken away or gets another meaning; what is added is a capability that a persister may lack.
const ContractVersion = 1

// Persister stores accounts. Its methods may run at the same time and return soon after ctx is done.
//
// Every method can fail with ErrUnavailable (nothing happened and nothing will), with a context error, and, if it
// writes, with ErrUnknownOutcome (the write was sent and not answered). Arguments that break a rule of this package
// (see [NewAccount.Validate], [Change.Validate]) are ErrInvalid. Errors are compared with errors.Is.
type Persister interface {
	// Describe tells what the store is and can do. The answer does not change while the process lives.
	Describe(ctx context.Context) (Description, error)

	// Create stores a new account, whole or not at all, and returns it.
	//
	// A key that another account holds is ErrExists inside a *FieldError that names the key's attribute; a value
	// that the store refuses is ErrInvalid inside a *FieldError. Either way nothing is left behind.
	// The same attempt again returns the account that the attempt made, whatever else the argument says. A host, which
	// never gives an attempt another content, takes an account with another username for a breach of the contract
	// (letters of the other case aside), here and in Resolve.
	// The store compares a.NotAfter with its clock when it holds every name, directly before it commits: too late
	// is ErrUnavailable.
	Create(ctx context.Context, a NewAccount) (Account, error)

	// Resolve settles an attempt whose outcome the host does not know. keys are those of the attempt.
	// It finishes what the attempt has committed and returns that account; otherwise it returns ErrNotFound, and
	// from then on no execution of the attempt that began earlier can ever commit.
	// A host asks only when the last execution has answered, or its NotAfter and [ClockSlack] have passed. Asked too
	// early, a store still waits for, or makes powerless, whatever an execution holds and whatever runs in its own
	// process. An execution in another process that holds nothing yet leaves no trace in a directory: only its NotAfter
	// stops that one.
	Resolve(ctx context.Context, attempt Attempt, keys []Key) (Account, error)

	// Lookup returns the account that holds a key, or ErrNotFound. Only k.Kind, k.Canonical and k.Value are needed.
	// The account found must still carry the value: where others can edit the store behind its back (a directory),
	// a key without its value is ErrNotFound.
	Lookup(ctx context.Context, k Key) (Account, error)

	// Get returns an account by its id, or ErrNotFound.
	Get(ctx context.Context, id ID) (Account, error)

	// Delete removes exactly this account and frees its keys. Deleting an absent account succeeds. A store without
	// transactions may hold the username back for a while, so that nothing late reaches whoever gets it next.
	Delete(ctx context.Context, id ID) error

	// Ping tells whether the store can be reached now: nil or ErrUnavailable.
	Ping(ctx context.Context) error
}

// Authenticator is implemented by stores that can judge a password.
type Authenticator interface {
	// Authenticate returns the account that holds the login key k, if p is its password and the account is active.
	// Everything else is ErrDenied, at the same cost and in the same words: a wrong password, an empty one (over the
	// wire it never comes so far, nor does one with NUL, bad UTF-8 or more than MaxPasswordBytes), an
	// unknown key, a key that is merely unique, an account that is locked or has no password.
	Authenticate(ctx context.Context, k Key, p Secret) (Account, error)
}

// PasswordSetter is implemented by stores that can replace a password.
type PasswordSetter interface {
	// SetPassword replaces the password; the old one stops working before SetPassword returns. Nothing else changes:
	// a locked account stays locked. A store whose server unlocks with every new password (slapo-ppolicy does)
	// answers ErrConflict for a locked account instead, in the very operation, and the account is unlocked first.
	// An absent account is ErrNotFound, an empty or refused password ErrInvalid.
	SetPassword(ctx context.Context, id ID, p Secret) error
}

// Updater is implemented by stores that can change an account.
type Updater interface {
	// Update applies one change, whole or not at all, and returns the account as it is afterwards.
	// ErrNotFound: no such account. ErrConflict: the store holds another value than one the change replaces.
	// ErrExists in a *FieldError: another account holds the key to add. ErrInvalid: the value is refused.
	// A change with an attempt that has been applied already succeeds again.
	Update(ctx context.Context, id ID, c Change) (Account, error)
}

// Lister is implemented by stores that can enumerate their accounts.
type Lister interface {
	// List returns accounts in an order that does not change, at most q.Limit of them. Walking all pages returns
	// every account that exists during the whole walk exactly once, also while others are added. Serve asks again with
	// a smaller limit where a page does not fit into a message.
	// A token that the store did not make is ErrInvalid.
	List(ctx context.Context, q ListQuery) (Page, error)
}

// Maintainer is implemented by stores that have something to clean up (a janitor).
type Maintainer interface {
	// Maintain does a bounded amount of cleaning and tells whether more is waiting. It touches only what an
	// unfinished attempt of its own kind left behind. The host calls it at start, then every minute, and again at
	// once while More is true.
	Maintain(ctx context.Context) (MaintainReport, error)
}

// StatusReader is implemented by stores that can judge many accounts at once.
type StatusReader interface {
	// Statuses reports on up to [MaxStatuses] different accounts, each once, in any order. An absent account is reported
	// as not usable.
	Statuses(ctx context.Context, ids []ID) ([]Status, error)
}

// SchemaChecker is implemented by stores with a schema of their own. Serve answers for stores without it: every value
// type that Describe lists can be stored as it is.
type SchemaChecker interface {
	// CheckSchema tells, for what a flow means to store, whether that is possible and how. It reports every finding
	// rather than failing at the first; an error means that the check itself was not possible.
	CheckSchema(ctx context.Context, uses []AttributeUse) (SchemaReport, error)
}

// ClockSlack is how long after an execution's NotAfter a host waits before it starts the next execution of the attempt
// or calls Resolve: room for clocks that differ.
const ClockSlack = 10 * time.Second

// CreateLifetime is how long after its start an execution of Create may still commit.
const CreateLifetime = 15 * time.Second
