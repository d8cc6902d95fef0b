package flow

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

// fault is one thing wrong with one value: the stable code, and the rule's own numbers for its text.
type fault struct {
	code string
	data map[string]any
}

func faultOf(code string) []fault { return []fault{{code: code}} }

// judge decodes and checks one value that was entered. A value that was left empty is reported by present. The faults
// never hold what was entered.
func (i *Item) judge(rules *identifier.Rules, raw jsontext.Value) (v plugin.Value, present bool, faults []fault) {
	if i.Type == ItemBoolean {
		return i.judgeBoolean(raw)
	}
	if i.Type == ItemInteger {
		return i.judgeInteger(raw)
	}
	text, faults := textOf(raw)
	if faults != nil {
		return plugin.Value{}, true, faults
	}
	if strings.TrimSpace(text) == "" {
		return plugin.Value{}, false, i.missing()
	}
	switch i.Type {
	case ItemDate, ItemDateTime:
		v, faults = i.judgeDate(text)
	case ItemEnum:
		v, faults = plugin.StringValue(text), i.judgeEnum(text)
	case ItemEmail:
		v, faults = plugin.StringValue(text), identifierFaults(rules.Email(text))
	case ItemPhone:
		v, faults = plugin.StringValue(text), identifierFaults(rules.Phone(text))
	default:
		v, faults = plugin.StringValue(text), i.judgeText(text)
	}
	return v, true, faults
}

// missing is what is wrong with no value at all.
func (i *Item) missing() []fault {
	if i.Required {
		return faultOf("required")
	}
	return nil
}

// textOf decodes a JSON string. Anything else, null among it, is not a text.
func textOf(raw jsontext.Value) (string, []fault) {
	if raw.Kind() != '"' {
		return "", faultOf("type")
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", faultOf("type")
	}
	if strings.ContainsRune(string(b), 0) || !utf8.Valid(b) {
		return "", faultOf("characters")
	}
	return string(b), nil
}

func (i *Item) judgeBoolean(raw jsontext.Value) (plugin.Value, bool, []fault) {
	if kind := raw.Kind(); kind == 't' || kind == 'f' {
		return plugin.BoolValue(kind == 't'), true, nil
	}
	return plugin.Value{}, true, faultOf("type")
}

func (i *Item) judgeInteger(raw jsontext.Value) (plugin.Value, bool, []fault) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if raw.Kind() != '0' || err != nil {
		return plugin.Value{}, true, faultOf("type")
	}
	var faults []fault
	if i.Min != nil && n < *i.Min {
		faults = append(faults, fault{"min", map[string]any{"Min": *i.Min}})
	}
	if i.Max != nil && n > *i.Max {
		faults = append(faults, fault{"max", map[string]any{"Max": *i.Max}})
	}
	return plugin.IntValue(n), true, faults
}

// judgeDate accepts RFC 3339: a full-date, or a date-time in any zone, which is kept in UTC.
func (i *Item) judgeDate(text string) (plugin.Value, []fault) {
	v, ok := dateValue(i.Type, text)
	if !ok {
		return plugin.Value{}, faultOf("type")
	}
	// The texts of one type have one length and sort as the times do.
	var faults []fault
	if i.MinDate != "" && v.Text < i.MinDate {
		faults = append(faults, fault{"min", map[string]any{"Min": i.MinDate}})
	}
	if i.MaxDate != "" && v.Text > i.MaxDate {
		faults = append(faults, fault{"max", map[string]any{"Max": i.MaxDate}})
	}
	return v, faults
}

// dateValue reads a date or date-time of the years 0000 to 9999.
func dateValue(t ItemType, text string) (plugin.Value, bool) {
	if t == ItemDate {
		at, err := time.Parse(time.DateOnly, text)
		return plugin.DateValue(at), err == nil
	}
	at, err := time.Parse(time.RFC3339, text)
	v := plugin.DateTimeValue(at)
	return v, err == nil && v.Validate() == nil && len(v.Text) == len("2006-01-02T15:04:05Z")
}

func (i *Item) judgeEnum(text string) []fault {
	if slices.ContainsFunc(i.Options, func(o Choice) bool { return o.Value == text }) {
		return nil
	}
	return faultOf("enum")
}

// judgeText checks a text on one line. Control characters are refused: the text goes into mails and directories.
func (i *Item) judgeText(text string) []fault {
	if strings.ContainsFunc(text, unprintable) {
		return faultOf("characters")
	}
	faults := i.judgeLength(utf8.RuneCountInString(text))
	if len(faults) == 0 && i.pattern != nil && !i.pattern.MatchString(text) {
		faults = append(faults, fault{code: "pattern"})
	}
	return faults
}

// judgeLength checks a length in characters.
func (i *Item) judgeLength(length int) []fault {
	switch {
	case i.Min != nil && int64(length) < *i.Min:
		return []fault{{"min_length", map[string]any{"Min": *i.Min}}}
	case i.Max != nil && int64(length) > *i.Max:
		return []fault{{"max_length", map[string]any{"Max": *i.Max}}}
	}
	return nil
}

// unprintable tells control characters, line and paragraph separators, and the characters that turn the direction of
// a text, which make it read as something else.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// identifierFaults words the refusal of an identifier.
func identifierFaults(_ identifier.Identifier, err error) []fault {
	if err == nil {
		return nil
	}
	var refused *identifier.Error
	if errors.As(err, &refused) {
		return faultOf(refused.Code)
	}
	return faultOf("other")
}
