package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Login is what a directory says to a name and a password. Only LoginGranted lets anybody in: the others are told apart
// for the admin, never for the person, since they tell that an account exists.
type Login int

// The answers.
const (
	// LoginDenied: wrong password, no such entry, no password, or a reason that the server does not give.
	LoginDenied Login = iota
	// LoginGranted: this is the password, and the account may be used.
	LoginGranted
	// LoginLocked: locked, by an admin or after wrong passwords. The password may be wrong as well.
	LoginLocked
	// LoginDisabled: disabled or expired as an account.
	LoginDisabled
	// LoginExpired: the password has expired, or must be changed before it is good for anything.
	LoginExpired
)

// String is a word for logs.
func (l Login) String() string {
	switch l {
	case LoginGranted:
		return "granted"
	case LoginLocked:
		return "locked"
	case LoginDisabled:
		return "disabled"
	case LoginExpired:
		return "expired"
	default:
		return "denied"
	}
}

// Authenticate asks the writer whether password is dn's. Nothing but binds is ever sent over the connections that it uses.
// An empty name or password, and one with NUL, is denied without asking: servers take it for an anonymous bind and agree
// (RFC 4513, section 5.1.2). An error is ErrUnreachable or ErrUnanswered: nobody knows.
func (p *Pool) Authenticate(ctx context.Context, dn DN, password string) (Login, error) {
	return authenticate(ctx, p.binds, p.Server, dn, password)
}

// authenticate asks the server of binds; describe tells what it is.
func authenticate(ctx context.Context, binds *endpoint, describe func(context.Context) (Server, error), dn DN, password string) (Login, error) {
	if dn == "" || password == "" || strings.ContainsRune(password, 0) {
		return LoginDenied, nil
	}
	server, err := describe(ctx)
	if err != nil {
		return LoginDenied, err
	}
	var controls []ldap.Control
	if server.PasswordPolicy {
		controls = append(controls, ldap.NewControlBeheraPasswordPolicy())
	}
	request := ldap.NewSimpleBindRequest(string(dn), password, controls)
	var answer []ldap.Control
	// A bind may be repeated: it counts, as a wrong password, for what it is.
	err = binds.run(ctx, "authenticate", true, func(c *ldap.Conn) error {
		answer = nil
		result, err := c.SimpleBind(request)
		if result != nil {
			answer = result.Controls
		}
		return err
	})
	return judge(server.Kind, err, answer)
}

// judge makes one answer of a result code, a text (Active Directory) and response controls.
func judge(kind Kind, err error, controls []ldap.Control) (Login, error) {
	var refusal *Error
	if err != nil && !errors.As(err, &refusal) {
		return LoginDenied, err
	}
	if login, told := byControls(controls); told {
		return login, nil
	}
	if err == nil {
		return LoginGranted, nil
	}
	switch refusal.Code {
	case InvalidCredentials:
		if kind == ActiveDirectory {
			return byData(refusal.Diagnostic), nil
		}
		return LoginDenied, nil
	case inappropriateAuthentication, NoSuchObject: // 389 has no password, or no entry
		return LoginDenied, nil
	case UnwillingToPerform, ConstraintViolation: // 389: deactivated; too many wrong passwords
		return LoginLocked, nil
	}
	return LoginDenied, fmt.Errorf("authenticate: %w: %v", ErrUnreachable, refusal) //nolint:errorlint // it is no refusal of the password
}

const inappropriateAuthentication uint16 = 48

// byControls reads the response controls for password policies. A bind that succeeds in spite of them, for a password that
// is good for nothing but changing it, is not granted.
func byControls(controls []ldap.Control) (login Login, told bool) {
	for _, c := range controls {
		switch c := c.(type) {
		case *ldap.ControlVChuPasswordMustChange: // 389: expired, or reset by an admin
			return LoginExpired, true
		case *ldap.ControlBeheraPasswordPolicy:
			switch {
			case c.Error == ldap.BeheraAccountLocked:
				return LoginLocked, true
			case c.Error == ldap.BeheraPasswordExpired, c.Error == ldap.BeheraChangeAfterReset, c.Grace >= 0:
				return LoginExpired, true
			case c.Error >= 0: // the others belong to changes of passwords: whatever it is, it is no yes
				return LoginDenied, true
			}
		}
	}
	return LoginDenied, false
}

// byData reads the code after "data" in the diagnostic text (Windows error codes, hexadecimal).
func byData(diagnostic string) Login {
	fields := strings.FieldsFunc(diagnostic, func(r rune) bool { return r == ' ' || r == ',' })
	at := slices.Index(fields, "data")
	if at < 0 || at+1 >= len(fields) {
		return LoginDenied
	}
	switch strings.ToLower(fields[at+1]) {
	case "775": // ERROR_ACCOUNT_LOCKED_OUT
		return LoginLocked
	case "533", "701", "530", "531": // ERROR_ACCOUNT_DISABLED, _EXPIRED, INVALID_LOGON_HOURS, INVALID_WORKSTATION
		return LoginDisabled
	case "532", "773": // ERROR_PASSWORD_EXPIRED, ERROR_PASSWORD_MUST_CHANGE
		return LoginExpired
	}
	return LoginDenied // 52e, 525: wrong password, no such user
}
