package ldapstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// reading puts the error of a request that only reads under the contract's sentinels.
func reading(operation string, err error) error {
	if errors.Is(err, directory.ErrUnanswered) {
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnavailable, err)
	}
	return writing(operation, err)
}

// writing puts the error of a request that writes under the contract's sentinels. What has one already, and a context
// error, stays as it is. A refusal without one of the codes here is the directory's fault and not the person's: nothing
// happened, and an admin finds the code in the log.
func writing(operation string, err error) error {
	switch {
	case err == nil:
		return nil
	case known(err):
		return fmt.Errorf("%s: %w", operation, err)
	case errors.Is(err, directory.ErrUnanswered):
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnknownOutcome, err)
	case directory.Refused(err, directory.NoSuchObject):
		return fmt.Errorf("%s: %w", operation, plugin.ErrNotFound)
	case directory.Refused(err, directory.InvalidAttributeSyntax, directory.ConstraintViolation, directory.ObjectClassViolation,
		directory.UndefinedAttributeType, directory.InvalidDNSyntax, directory.NamingViolation):
		return fmt.Errorf("%s: %w: %w", operation, plugin.ErrInvalid, err)
	}
	return fmt.Errorf("%s: %w: %w", operation, plugin.ErrUnavailable, err)
}

// known tells whether an error is one of the contract's already.
func known(err error) bool {
	for _, sentinel := range []error{
		plugin.ErrNotFound, plugin.ErrExists, plugin.ErrConflict, plugin.ErrInvalid, plugin.ErrDenied, plugin.ErrUnavailable,
		plugin.ErrUnknownOutcome, errors.ErrUnsupported, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}
