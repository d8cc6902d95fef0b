package directory

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Result codes (RFC 4511, section 4.1.9, and RFC 4528) that this project decides upon.
const (
	OperationsError          uint16 = 1
	ProtocolError            uint16 = 2
	StrongerAuthRequired     uint16 = 8
	UnavailableCritical      uint16 = 12
	ConfidentialityRequired  uint16 = 13
	NoSuchAttribute          uint16 = 16
	UndefinedAttributeType   uint16 = 17
	ConstraintViolation      uint16 = 19
	AttributeOrValueExists   uint16 = 20
	InvalidAttributeSyntax   uint16 = 21
	NoSuchObject             uint16 = 32
	InvalidDNSyntax          uint16 = 34
	InvalidCredentials       uint16 = 49
	InsufficientAccessRights uint16 = 50
	Busy                     uint16 = 51
	Unavailable              uint16 = 52
	UnwillingToPerform       uint16 = 53
	NamingViolation          uint16 = 64
	ObjectClassViolation     uint16 = 65
	NotAllowedOnNonLeaf      uint16 = 66
	EntryAlreadyExists       uint16 = 68
	AssertionFailed          uint16 = 122
	SizeLimitExceeded        uint16 = 4
	Referral                 uint16 = 10
	AdminLimitExceeded       uint16 = 11
)

var (
	// ErrUnreachable says that the request was not sent: nothing happened and nothing will.
	ErrUnreachable = errors.New("the directory cannot be reached")

	// ErrUnanswered says that the request was sent, or may have been, and no answer came: it may have happened, or still
	// happen.
	ErrUnanswered = errors.New("the directory did not answer")

	// ErrUnsupported says that the server does not list what a call needs. Nothing was sent.
	ErrUnsupported = errors.New("the directory does not offer this")

	// ErrEmptyPassword says that a password is empty. Nothing was sent: a bind with it would be anonymous and succeed
	// (RFC 4513, section 5.1.2), and a change to it would let the server make one up (RFC 3062).
	ErrEmptyPassword = errors.New("the password is empty")
)

// Error is a refusal by the server. Diagnostic is the server's own text: it may contain values, so it is for the
// directory's admin at the doctor, never for a log or a person.
type Error struct {
	Operation  string
	Code       uint16
	Diagnostic string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: the directory answers with result code %d", e.Operation, e.Code)
}

// Meaning is the code in words, such as "invalid credentials"; empty for one that nobody knows.
func (e *Error) Meaning() string { return strings.ToLower(ldap.LDAPResultCodeMap[e.Code]) }

// Refused tells whether err is a refusal with one of the codes; without codes, whether it is a refusal at all.
func Refused(err error, codes ...uint16) bool {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return false
	}
	for _, code := range codes {
		if refusal.Code == code {
			return true
		}
	}
	return len(codes) == 0
}
