package plugin

import (
	"errors"
	"fmt"
)

// The sentinels. They survive the wire: errors.Is gives the same answer on the host as in the persister.
// errors.ErrUnsupported (the capability is absent) and the context errors survive as well. Every other error reaches
// the host as a fixed text without details, which stay in the persister's own log.
//
// What the host adds: a call that was not sent, and a read that has no answer (a lost connection, a limit, a context that
// ended), is ErrUnavailable; a write that was sent and has no answer, or none that can be believed (a fault, a reply that
// breaks the contract), is ErrUnknownOutcome. Where a context ended, errors.Is finds its error beside the sentinel.
var (
	// ErrNotFound: there is no such account, or the attempt made none and never will.
	ErrNotFound = errors.New("not found")
	// ErrExists: another account holds the key. It comes in a *FieldError.
	ErrExists = errors.New("already exists")
	// ErrConflict: the store holds another value than the one to be replaced. Read again.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: the input is refused. It comes in a *FieldError where one field is to blame.
	ErrInvalid = errors.New("invalid")
	// ErrDenied: wrong credentials, in every shape.
	ErrDenied = errors.New("denied")
	// ErrUnavailable: nothing happened and nothing will. Try again later.
	ErrUnavailable = errors.New("unavailable")
	// ErrUnknownOutcome: a write was sent and not answered. Do the same again, or Resolve it.
	ErrUnknownOutcome = errors.New("unknown outcome")
)

// PasswordField is the Field of a FieldError about the password.
const PasswordField = "password"

// Codes of a FieldError, for programs. Others are allowed: lower-case letters, digits and underscores, up to 64.
const (
	CodeTaken     = "taken"
	CodeInvalid   = "invalid"
	CodeTooLong   = "too_long"
	CodeTooShort  = "too_short"
	CodePolicy    = "policy"    // the store's own password policy refused it
	CodeUnknown   = "unknown"   // the store knows no such attribute or group
	CodeReadOnly  = "read_only" // the attribute cannot be changed
	CodeForbidden = "forbidden"
)

// FieldError is an error that one field is to blame for.
type FieldError struct {
	// Field is the attribute's name, or PasswordField.
	Field string
	// Code says for programs what is wrong.
	Code string
	// Err is ErrExists or ErrInvalid, possibly wrapped.
	Err error
}

// Error never contains the field's value.
func (e *FieldError) Error() string { return fmt.Sprintf("field %q: %s: %v", e.Field, e.Code, e.Err) }

// Unwrap returns the sentinel.
func (e *FieldError) Unwrap() error { return e.Err }

// Taken returns the error for a key that another account holds.
func Taken(attribute string) error { return &FieldError{attribute, CodeTaken, ErrExists} }

// Refused returns the error for a value that cannot be stored.
func Refused(field, code string) error { return &FieldError{field, code, ErrInvalid} }
