package plugin

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// generalizedTime is the one form of RFC 4517, section 3.3.13, that is written. Reading knows a few more, because
// other programs write into directories, too.
const generalizedTime = "20060102150405Z"

// encodingTypes says which types an encoding can write.
var encodingTypes = map[Encoding][]ValueType{
	EncodingUpperBoolean:    {TypeBoolean},
	EncodingLowerBoolean:    {TypeBoolean},
	EncodingDigitBoolean:    {TypeBoolean},
	EncodingGeneralizedTime: {TypeDate, TypeDateTime},
	EncodingISODate:         {TypeDate},
	EncodingRFC3339:         {TypeDateTime},
	EncodingDecimal:         {TypeInteger},
}

// Fits tells whether values of a type can be written this way.
func (e Encoding) Fits(t ValueType) bool {
	return e == EncodingNone || slices.Contains(encodingTypes[e], t)
}

// Encode writes a value as a string value. EncodingNone returns it as it is. A type that does not fit is ErrInvalid.
func (e Encoding) Encode(v Value) (Value, error) {
	if err := v.Validate(); err != nil {
		return Value{}, fmt.Errorf("encode value: %w", err)
	}
	if !e.Fits(v.Type) {
		return Value{}, fmt.Errorf("encode value: %w: %q is not for values of type %q", ErrInvalid, e, v.Type)
	}
	switch e {
	case EncodingNone:
		return v, nil
	case EncodingUpperBoolean:
		return StringValue(strings.ToUpper(v.Text)), nil
	case EncodingDigitBoolean:
		if v.Text == "true" {
			return StringValue("1"), nil
		}
		return StringValue("0"), nil
	case EncodingGeneralizedTime:
		t, err := v.Time()
		return StringValue(t.Format(generalizedTime)), err
	default: // the text of the type is the encoding
		return StringValue(v.Text), nil
	}
}

// Decode reads what Encode wrote, and other spellings of the same value that the encoding allows, as a value of type t.
// Everything else is ErrInvalid.
func (e Encoding) Decode(t ValueType, v Value) (Value, error) {
	if e == EncodingNone || v.Type == t {
		return v, nil
	}
	fault := fmt.Errorf("decode value: %w: not a %s value written as %q", ErrInvalid, t, e)
	if v.Type != TypeString || !e.Fits(t) {
		return Value{}, fault
	}
	decoded := Value{t, v.Text}
	switch e {
	case EncodingUpperBoolean, EncodingLowerBoolean:
		decoded.Text = strings.ToLower(v.Text)
	case EncodingDigitBoolean:
		decoded.Text = map[string]string{"1": "true", "0": "false"}[v.Text]
	case EncodingGeneralizedTime:
		at, err := parseGeneralizedTime(v.Text)
		if err != nil {
			return Value{}, fault
		}
		if decoded = DateTimeValue(at); t == TypeDate {
			decoded = DateValue(at)
		}
	case EncodingRFC3339:
		at, err := time.Parse(time.RFC3339, v.Text)
		if err != nil {
			return Value{}, fault
		}
		decoded = DateTimeValue(at)
	case EncodingNone, EncodingISODate, EncodingDecimal: // the text is the type's own
	}
	if decoded.Validate() != nil {
		return Value{}, fault
	}
	return decoded, nil
}

// parseGeneralizedTime reads RFC 4517, section 3.3.13: minutes and seconds may be missing, fractions are cut off.
func parseGeneralizedTime(s string) (at time.Time, err error) {
	for _, layout := range []string{
		generalizedTime, "20060102150405.999999999Z", "20060102150405-0700", "20060102150405.999999999-0700",
		"200601021504Z", "2006010215Z", "200601021504-0700",
	} {
		if at, err = time.Parse(layout, s); err == nil {
			return at.UTC(), nil
		}
	}
	return at, err
}
