package plugin

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errorDomain marks the ErrorInfo of this contract: gRPC itself also emits Unavailable, Unimplemented and others, and
// those say nothing about what a persister did.
const errorDomain = "persister.narthex"

// reasonFault is the reason of every error that is not in the table. Its text stays in the persister's log.
const reasonFault = "FAULT"

const (
	metaField = "field"
	metaCode  = "code"
)

// wireErrors is the one table, read in both directions. An error that is several of these is the first.
var wireErrors = []struct {
	reason string
	err    error
	code   codes.Code
}{
	{"UNKNOWN_OUTCOME", ErrUnknownOutcome, codes.Unknown},
	{"UNAVAILABLE", ErrUnavailable, codes.Unavailable},
	{"NOT_FOUND", ErrNotFound, codes.NotFound},
	{"ALREADY_EXISTS", ErrExists, codes.AlreadyExists},
	{"CONFLICT", ErrConflict, codes.Aborted},
	{"INVALID", ErrInvalid, codes.InvalidArgument},
	{"DENIED", ErrDenied, codes.Unauthenticated},
	{"UNSUPPORTED", errors.ErrUnsupported, codes.Unimplemented},
	{"CANCELED", context.Canceled, codes.Canceled},
	{"DEADLINE_EXCEEDED", context.DeadlineExceeded, codes.DeadlineExceeded},
}

// errorToWire returns the status that carries err, and whether err has a row in the table.
func errorToWire(err error) (*status.Status, bool) {
	info := &errdetails.ErrorInfo{Domain: errorDomain, Reason: reasonFault}
	code, known := codes.Internal, false
	for _, row := range wireErrors {
		if errors.Is(err, row.err) {
			info.Reason, code, known = row.reason, row.code, true
			break
		}
	}
	var field *FieldError
	if known && errors.As(err, &field) && validName(field.Field) {
		info.Metadata = map[string]string{metaField: field.Field, metaCode: cleanCode(field.Code)}
	}
	bare := status.New(code, "persister: "+info.Reason)
	if st, err := bare.WithDetails(info); err == nil {
		return st, known
	}
	return bare, known
}

// errorFromWire returns the error that a status carries: a row of the table, with the field to blame where there is
// one, errFault for a fault of the persister, or nil when no persister has spoken.
func errorFromWire(st *status.Status) error {
	for _, detail := range st.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok || info.GetDomain() != errorDomain {
			continue
		}
		for _, row := range wireErrors {
			if info.GetReason() != row.reason {
				continue
			}
			field := info.GetMetadata()[metaField]
			if (row.err == ErrExists || row.err == ErrInvalid) && validName(field) { //nolint:errorlint // rows hold the sentinels themselves
				return &FieldError{field, cleanCode(info.GetMetadata()[metaCode]), row.err}
			}
			return row.err
		}
		return errFault
	}
	return nil
}

// cleanCode keeps a code that keeps the rules.
func cleanCode(code string) string {
	if validCode(code) {
		return code
	}
	return CodeInvalid
}

// errFault is all that a host learns of an error without a row in the table.
var errFault = errors.New("the persister failed, its log has the details")

// failed turns the error of a call into the contract's. over is why the call's context ended, or nil; sent tells
// whether the request may have reached the persister.
//
// A write that was sent and has no clear answer is ErrUnknownOutcome, whatever the reason: a lost connection, a
// deadline, a fault. A read in the same place, and everything that was not sent, is ErrUnavailable, except a fault,
// which is no error of the contract. Where a context ended, its error is found by errors.Is as well.
func (o operation) failed(over error, sent bool, err error) error {
	st, _ := status.FromError(err)
	told := errorFromWire(st)
	ended := contextError(st.Code(), over, told)
	switch {
	case !sent:
		return o.wrap(ErrUnavailable, ended)
	case ended != nil:
		return o.wrap(o.unclear(), ended)
	case told == nil && st.Code() == codes.Unimplemented:
		return o.wrap(errors.ErrUnsupported, nil)
	case told == nil && (st.Code() == codes.Unavailable || st.Code() == codes.Canceled):
		return o.wrap(o.unclear(), nil)
	case told == nil && st.Code() == codes.ResourceExhausted:
		return o.fault(errors.New("the persister's reply is too large"))
	case told == nil, told == errFault: //nolint:errorlint // errorFromWire returns it unwrapped
		return o.fault(errFault)
	}
	return o.wrap(told, nil)
}

// contextError finds out whether a context ended the call: the caller's, or the call's own limit. A bare Canceled is not
// one: it is how a connection that closes answers.
func contextError(code codes.Code, over, told error) error {
	switch {
	case errors.Is(told, context.Canceled), errors.Is(told, context.DeadlineExceeded):
		return told
	case told != nil:
		return nil
	case over == nil && code == codes.DeadlineExceeded: // the persister's clock was quicker
		return context.DeadlineExceeded
	}
	return over
}

// unclear is the error of a call that was sent and has no answer.
func (o operation) unclear() error {
	if o.write {
		return ErrUnknownOutcome
	}
	return ErrUnavailable
}

// fault is the error of a call whose answer breaks the contract.
func (o operation) fault(why error) error {
	if o.write {
		return o.wrap(ErrUnknownOutcome, why)
	}
	return o.wrap(why, nil)
}

// badReply is the error of an answer that is not valid. rule says which rule it breaks; it is not a sentinel for the
// caller, who has not broken it.
func (o operation) badReply(rule error) error {
	return o.fault(fmt.Errorf("the persister's reply breaks the contract: %v", rule)) //nolint:errorlint // hides ErrInvalid on purpose
}

func (o operation) wrap(err, also error) error {
	if also == nil {
		return fmt.Errorf("persister %s: %w", o.name, err)
	}
	return fmt.Errorf("persister %s: %w: %w", o.name, err, also)
}
