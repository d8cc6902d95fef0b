package state

import (
	"errors"
	"time"
)

// Phase is where a registration stands, as far as the database has to know.
type Phase string

// The phases of a row. An aborted registration has no row.
const (
	PhaseOpen       Phase = "open"
	PhasePersisting Phase = "persisting" // the account is being created; see Row.Server
	PhaseCompleted  Phase = "completed"
)

// Reader says who can open a row's sealed content.
type Reader string

// The readers.
const (
	SealedForClient Reader = "client" // needs the half of the key that is in the client's token
	SealedForServer Reader = "server" // needs the server's secret alone
)

// Row is one registration.
type Row struct {
	// Ref is the row's own name, for logs and as context of its seal. It never changes and never leaves the server.
	Ref string
	// Locator is the SHA-256 of the locating half of the token. A commit may replace it; the old token dies with it.
	Locator []byte
	// Flow and Step are the names of the flow and of its current step.
	Flow, Step string
	Phase      Phase
	// Version is that of the row as read; a commit succeeds only while it is still the same.
	Version int64
	// Sealed is the registration's content and SealedFor who can open it.
	Sealed    []byte
	SealedFor Reader
	// Server is what a worker needs to go on without the client, sealed for the server; nil when there is nothing.
	Server []byte
	// RunNotAfter is the NotAfter of the last execution of Create; zero when there was none.
	RunNotAfter time.Time
	// ResolveAt is when a worker may take a persisting row up.
	ResolveAt time.Time
	// Attempts counts the guesses at the current step, and AttemptLimit is how many are allowed. A commit sets Attempts
	// to zero if ResetAttempts is set and leaves it alone otherwise: it is outside the version.
	Attempts, AttemptLimit int
	ResetAttempts          bool
	// IdleFor is how long the row lives from this write on without another one; zero means the database's default. It
	// never lives longer than ExpiresAt.
	IdleFor time.Duration
	// Takes are the budgets that a write takes from; see Take. Sealed is replaced by Silenced, if that is not nil, when a
	// silent one is spent, and a write tells in WasSilenced that it went on without its messages. None is ever read.
	Takes       []Take
	Silenced    []byte
	WasSilenced bool
	// Client is a keyed hash of the network that begins the registration, and OpenLimit how many open ones that may
	// have; empty and zero: nobody counts. Only Insert looks at them.
	Client    string
	OpenLimit int
	// CreatedAt, IdleUntil and ExpiresAt are read only.
	CreatedAt, IdleUntil, ExpiresAt time.Time
}

// Message is one entry of the outbox.
type Message struct {
	// ID names the message, and is its idempotency key at the mail server.
	ID string
	// Sealed is its content, sealed for the server.
	Sealed []byte
	// ExpiresAt is when it must not be sent any more.
	ExpiresAt time.Time
	// Tries counts the failed tries so far; read only.
	Tries int
}

// Errors of this package. Everything else is a database that cannot be reached or does not do its work.
var (
	// ErrGone: there is no such registration, or it has expired. Nobody can tell the two apart.
	ErrGone = errors.New("registration is gone")
	// ErrStale: somebody else has written the row since it was read.
	ErrStale = errors.New("registration was changed meanwhile")
	// ErrWrongStep: the registration is at another step.
	ErrWrongStep = errors.New("registration is at another step")
	// ErrExhausted: no guesses are left at this step.
	ErrExhausted = errors.New("no attempts left")
	// ErrInUse: another process uses the database file.
	ErrInUse = errors.New("the state database is in use by another process")
	// ErrForeignSecret: no key of the secret is the one that the database was written with.
	ErrForeignSecret = errors.New("the secret is not the one that the state database was written with")
	// ErrForeignRules: the rules that make canonical keys are not those that the database was written with.
	ErrForeignRules = errors.New("the identifier rules are not those that the accounts were made with")
)
