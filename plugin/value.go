package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ValueType is the type of a value.
type ValueType string

// The value types. Their texts are what [Value.Text] holds.
const (
	TypeString   ValueType = "string"   // any UTF-8 without NUL
	TypeBoolean  ValueType = "boolean"  // "true" or "false"
	TypeInteger  ValueType = "integer"  // decimal, 64 bits, no leading zeros or plus sign
	TypeDate     ValueType = "date"     // RFC 3339 full-date, "2006-01-02"
	TypeDateTime ValueType = "datetime" // RFC 3339 date-time in UTC, whole seconds, "2006-01-02T15:04:05Z"
)

// ValueTypes lists all value types.
func ValueTypes() []ValueType {
	return []ValueType{TypeString, TypeBoolean, TypeInteger, TypeDate, TypeDateTime}
}

// Value is one typed datum, always in the one text that its type has for it: equal values compare equal with ==.
type Value struct {
	Type ValueType `json:"type"`
	Text string    `json:"text"`
}

// StringValue returns s as a value.
func StringValue(s string) Value { return Value{TypeString, s} }

// BoolValue returns b as a value.
func BoolValue(b bool) Value { return Value{TypeBoolean, strconv.FormatBool(b)} }

// IntValue returns i as a value.
func IntValue(i int64) Value { return Value{TypeInteger, strconv.FormatInt(i, 10)} }

// DateValue returns the calendar date of t, as t's own location has it, as a value.
func DateValue(t time.Time) Value { return Value{TypeDate, t.Format(time.DateOnly)} }

// DateTimeValue returns t, cut to the second, as a value.
func DateTimeValue(t time.Time) Value {
	return Value{TypeDateTime, t.UTC().Truncate(time.Second).Format(time.RFC3339)}
}

// Bool returns a boolean value's content.
func (v Value) Bool() (bool, error) {
	if err := v.is(TypeBoolean); err != nil {
		return false, err
	}
	return v.Text == "true", v.Validate()
}

// Int returns an integer value's content.
func (v Value) Int() (int64, error) {
	if err := v.is(TypeInteger); err != nil {
		return 0, err
	}
	return strconv.ParseInt(v.Text, 10, 64)
}

// Time returns the content of a date (midnight UTC) or date-time value.
func (v Value) Time() (time.Time, error) {
	if v.Type == TypeDate {
		return time.Parse(time.DateOnly, v.Text)
	}
	if err := v.is(TypeDateTime); err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, v.Text)
}

func (v Value) is(t ValueType) error {
	if v.Type != t {
		return fmt.Errorf("%w: a value of type %q is not of type %q", ErrInvalid, v.Type, t)
	}
	return nil
}

// Validate checks that the text is the one that the type has for this value; anything else is ErrInvalid.
func (v Value) Validate() error {
	var canonical string
	switch v.Type {
	case TypeString:
		if !utf8.ValidString(v.Text) || strings.ContainsRune(v.Text, 0) {
			return fmt.Errorf("%w: a string value is UTF-8 without NUL", ErrInvalid)
		}
		return nil
	case TypeBoolean:
		if v.Text == "true" || v.Text == "false" {
			return nil
		}
	case TypeInteger:
		if i, err := v.Int(); err == nil {
			canonical = IntValue(i).Text
		}
	case TypeDate:
		if t, err := v.Time(); err == nil {
			canonical = DateValue(t).Text
		}
	case TypeDateTime:
		if t, err := v.Time(); err == nil {
			canonical = DateTimeValue(t).Text
		}
	default:
		return fmt.Errorf("%w: unknown value type %q", ErrInvalid, v.Type)
	}
	if canonical == "" || canonical != v.Text {
		return fmt.Errorf("%w: not the text of a %s value", ErrInvalid, v.Type)
	}
	return nil
}
