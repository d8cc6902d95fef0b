package directory

import (
	"errors"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestAnswersToABind(t *testing.T) {
	data := func(code string) string {
		return "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data " + code + ", v4563"
	}
	tests := []struct {
		kind Kind
		code uint16
		text string
		want Login
	}{
		{ActiveDirectory, InvalidCredentials, data("52e"), LoginDenied},
		{ActiveDirectory, InvalidCredentials, data("525"), LoginDenied},
		{ActiveDirectory, InvalidCredentials, data("533"), LoginDisabled},
		{ActiveDirectory, InvalidCredentials, data("701"), LoginDisabled},
		{ActiveDirectory, InvalidCredentials, data("530"), LoginDisabled},
		{ActiveDirectory, InvalidCredentials, data("531"), LoginDisabled},
		{ActiveDirectory, InvalidCredentials, data("532"), LoginExpired},
		{ActiveDirectory, InvalidCredentials, data("773"), LoginExpired},
		{ActiveDirectory, InvalidCredentials, data("775"), LoginLocked},
		{ActiveDirectory, InvalidCredentials, data("beef"), LoginDenied},
		{ActiveDirectory, InvalidCredentials, "data", LoginDenied},
		{ActiveDirectory, InvalidCredentials, "", LoginDenied},
		{OpenLDAP, InvalidCredentials, data("775"), LoginDenied},
		{DS389, UnwillingToPerform, "Account inactivated. Contact system administrator.", LoginLocked},
		{DS389, ConstraintViolation, "Exceed password retry limit. Please try later.", LoginLocked},
		{DS389, inappropriateAuthentication, "", LoginDenied},
		{DS389, NoSuchObject, "", LoginDenied},
	}
	for _, test := range tests {
		got, err := judge(test.kind, &Error{"authenticate", test.code, test.text}, nil)
		if got != test.want || err != nil {
			t.Errorf("%s, code %d, %q: %v, %v, want %v", test.kind, test.code, test.text, got, err, test.want)
		}
	}
	for _, code := range []uint16{OperationsError, StrongerAuthRequired, Referral, ConfidentialityRequired, Busy, Unavailable, InvalidDNSyntax, 80} {
		if got, err := judge(OpenLDAP, &Error{"authenticate", code, ""}, nil); got != LoginDenied || !errors.Is(err, ErrUnreachable) || Refused(err) {
			t.Errorf("code %d: %v, %v", code, got, err)
		}
	}
	for _, answer := range []error{nil, &Error{"authenticate", InvalidCredentials, ""}} { // 389 does both
		if got, err := judge(DS389, answer, []ldap.Control{&ldap.ControlVChuPasswordMustChange{}}); got != LoginExpired || err != nil {
			t.Errorf("%v with an expired password: %v, %v", answer, got, err)
		}
	}
	if got, err := judge(OpenLDAP, nil, []ldap.Control{ldap.NewControlManageDsaIT(false)}); got != LoginGranted || err != nil {
		t.Errorf("a control about something else: %v, %v", got, err)
	}
}
