package flow

import "time"

// Problem is an error for the client: a stable code and, for refused input, what is wrong with which field.
type Problem struct {
	Code       Code
	Violations []Violation
	// RetryAfter is how long to wait before the same request can succeed; zero when waiting does not help.
	RetryAfter time.Duration
	// AttemptsLeft is set with CodeWrongCode.
	AttemptsLeft int
	// Cause is for the log only.
	Cause error
}

// Code is the stable name of a problem.
type Code string

// The codes; the HTTP status of each stands in the API's table.
const (
	CodeDisabled         Code = "disabled"          // registration, or this flow, is closed
	CodeUnknownFlow      Code = "unknown_flow"      //
	CodeRegistrationGone Code = "registration_gone" // unknown, expired, aborted: all the same
	CodeUnexpectedStep   Code = "unexpected_step"   // not the current step
	CodeInvalidInput     Code = "invalid_input"     // see Violations
	CodeMalformed        Code = "malformed"         // the answer is not of the step's form
	CodeWrongCode        Code = "wrong_code"        // same step again
	CodeTooManyAttempts  Code = "too_many_attempts" // this registration is over
	CodeIdentifierTaken  Code = "identifier_taken"  // only where the mailbox is proved or the flow is not stealthy
	CodeRateLimited      Code = "rate_limited"      // see RetryAfter
	CodeUnavailable      Code = "unavailable"       // see RetryAfter; nothing is lost
	CodeLoginFailed      Code = "login_failed"      //
)

// Violation is one thing wrong with one field.
type Violation struct {
	// Field is the item's name; empty for a rule over several items.
	Field string
	// Code is the stable name of the rule: required, unknown, type, min_length, max_length, pattern, min, max, enum,
	// email, phone, username, reserved, confusable, password_common, equal, different, at_least_one, taken…
	Code string
	// Message is in the registration's language.
	Message string
}

// Error names the code only: what was entered never gets into an error text.
func (p *Problem) Error() string { return "registration: " + string(p.Code) }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Cause }
