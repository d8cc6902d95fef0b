package identifier_test

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

func TestNumbersThatBelongToNobodyAreRefused(t *testing.T) {
	r := rules(t, identifier.Options{})
	for _, s := range []string{"", "+", "030 1234567", "+49", "+4930123456789012345678901234567890", strings.Repeat("9", 40), "+" + strings.Repeat("9", 40),
		"+49 900 1234567", "+1 900 555 0123", "+49 800 1234567", "+870 773 111 632", "+881 6 12345678", "+49301234567;ext=5", "+49\u00a0301234567", "＋49301234567", "+４９301234567",
		"+49 30 12345a7", "+49301234567\n", "tel:+49301234567", "+999 123456789", "+1 555", "+49234030  23923443"} {
		if got, err := r.Phone(s); err == nil {
			t.Errorf("%q is accepted as %q", s, got.Canonical)
		}
	}
	got, err := r.Phone("+41 79 123 45 67")
	if err != nil || got.Canonical != "1:+41791234567" || got.Value != "+41 79 123 45 67" || got.Kind != plugin.KindPhone {
		t.Errorf("Phone = %+v, %v", got, err)
	}
}

func TestEveryCountrysNumbersHaveOneKey(t *testing.T) {
	r := rules(t, identifier.Options{})
	for region := range phonenumbers.GetSupportedRegions() {
		number := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if number == nil {
			continue
		}
		e164 := phonenumbers.Format(number, phonenumbers.E164)
		for _, form := range []string{e164, phonenumbers.Format(number, phonenumbers.INTERNATIONAL)} {
			if got, err := r.Phone(form); err != nil || got.Canonical != "1:"+e164 || got.Value != form {
				t.Errorf("%s: Phone(%q) = %+v, %v", region, form, got, err)
			}
		}
	}
}

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"+49 30 1234567", "+41 79 123 45 67", "+1 (212) 555-0100", "+39 06 698 12345", "+" + strings.Repeat("9", 31), "+(((", "+1.2.3", "+٤٩", "＋49301234567", "+52 1 222 123 4567"} {
		f.Add(s)
	}
	r := rules(f, identifier.Options{})
	f.Fuzz(func(t *testing.T, s string) {
		id, err := r.Phone(s)
		if err != nil {
			return
		}
		number := strings.TrimPrefix(id.Canonical, "1:")
		if len(number) > 16 || number[0] != '+' || strings.Trim(number[1:], "0123456789") != "" || id.Value != s {
			t.Errorf("%q is accepted as %q", s, number)
		}
		if again, err := r.Phone(number); err != nil || again.Canonical != id.Canonical {
			t.Errorf("the key %q of %q is not stable: %q, %v", id.Canonical, s, again.Canonical, err)
		}
	})
}
