package identifier

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/narthex/narthex/plugin"
)

// Limits of a number: as it is typed, with its blanks and brackets, and as "+" and its digits (ITU-T E.164, section 6).
const (
	maxPhone = 32
	maxE164  = 1 + 15
)

// Phone reads a number in international form: "+", country code, number; blanks, dots, hyphens and brackets are allowed
// between. Numbers that cost their caller or belong to no person (premium, shared cost, toll-free, pagers, satellites)
// are refused. The canonical form is E.164.
func (r *Rules) Phone(s string) (Identifier, error) {
	if s == "" {
		return Identifier{}, refuse(CodeRequired, "no number")
	}
	if len(s) > maxPhone || s[0] != '+' || strings.Trim(s[1:], "0123456789 .-()") != "" || !strings.ContainsAny(s, "0123456789") {
		return Identifier{}, refuse(CodePhone, "not of the form +49 30 1234567")
	}
	if forgotten.Load() {
		return Identifier{}, refuse(CodePhone, "not read by this process")
	}
	number, err := phonenumbers.Parse(s, "ZZ")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return Identifier{}, refuse(CodePhone, "no number that is in use")
	}
	switch phonenumbers.GetNumberType(number) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.PERSONAL_NUMBER, phonenumbers.VOIP:
	default:
		return Identifier{}, refuse(CodePhone, "no number of a person")
	}
	if satellite[number.GetCountryCode()] {
		return Identifier{}, refuse(CodePhone, "no number of a person")
	}
	e164 := phonenumbers.Format(number, phonenumbers.E164)
	if len(e164) > maxE164 { // some national plans allow more
		return Identifier{}, refuse(CodePhone, "longer than 15 digits")
	}
	return Identifier{plugin.KindPhone, canonicalVersion + e164, s}, nil
}

// satellite has the country codes of satellite and other global networks (ITU-T E.164, Annex to list of codes).
var satellite = map[int32]bool{870: true, 878: true, 881: true, 882: true, 883: true, 888: true, 979: true}
