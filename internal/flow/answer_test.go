package flow_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// typed asks for an item of every type. It has no stealth.
const typed = `default: all
items:
  email: {type: email, alias: true, required: true, attribute: mail}
  phone: {type: phone, attribute: telephoneNumber}
  name: {type: string, min: 2, max: 5, pattern: "[a-zé]+", required: true, attribute: cn}
  adult: {type: boolean, attribute: adult}
  born: {type: date, min: "1900-01-01", max: "2020-12-31", attribute: born}
  at: {type: datetime, attribute: at}
  size: {type: integer, min: -3, max: 10, attribute: size}
  colour: {type: enum, options: [red, {value: blue, label: {en: Sky, de: Himmel}}], attribute: colour}
  badge: {type: string, unique: true, attribute: badge}
  password: {type: password, required: true}
  again: {type: password}
flows:
  all:
    title: All
    steps:
      - data:
          name: typed
          items: [email, phone, name, adult, born, at, size, colour, badge]
          rules: [{different: [name, badge]}, {at_least_one: [phone, adult, colour]}]
      - username: {}
      - verify-email: {item: email}
      - data: {name: secret, items: [password, again], rules: [{equal: [password, again]}]}
      - persist: {}
`

// full is a right answer to the step typed.
func full() object {
	return object{
		"email": "ada@example.org", "phone": "+49 30 1234567", "name": "adé", "adult": true, "born": "1990-02-28",
		"at": "2026-01-02T03:04:05+02:00", "size": 7, "colour": "blue", "badge": "B-1",
	}
}

func TestValuesOfEveryTypeAreStoredTyped(t *testing.T) {
	w := newWorld(t, typed)
	p := w.begin()
	p.must(p.answer("typed", items(full())))
	p.must(p.answer("username", items(object{"username": "Ada_L"})))
	p.must(p.answer("verify-email", object{"code": w.mail.code("ada@example.org")}))
	p.must(p.answer("secret", items(object{"password": goodPassword, "again": goodPassword})))
	made := w.store.accounts()[0].made
	want := map[string]plugin.Value{
		"telephoneNumber": plugin.StringValue("+49 30 1234567"), "cn": plugin.StringValue("adé"), "adult": plugin.BoolValue(true),
		"born": {Type: plugin.TypeDate, Text: "1990-02-28"}, "at": {Type: plugin.TypeDateTime, Text: "2026-01-02T01:04:05Z"},
		"size": plugin.IntValue(7), "colour": plugin.StringValue("blue"),
	}
	for name, value := range want {
		if got := made.Attributes[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s is %v, want %v", name, got, value)
		}
	}
	if len(made.Attributes) != len(want) {
		t.Errorf("the account has %v", made.Attributes)
	}
	for _, k := range made.Keys {
		if k.Login != (k.Kind != plugin.KindUnique) {
			t.Errorf("key %+v", k)
		}
	}
	if made.Username() != "ada_l" || p.last.Username != "ada_l" {
		t.Errorf("the username is %q", made.Username())
	}
}

// TestAnswersAreRefused changes one value of a right answer.
func TestAnswersAreRefused(t *testing.T) {
	w := newWorld(t, typed)
	raw := func(s string) any { return json.RawMessage(s) }
	for _, c := range []struct {
		rule, field string
		value       any
		want        string
	}{
		{"an undeclared field", "role", "admin", "role:unknown"},
		{"an undeclared field with a long name", strings.Repeat("x", 500), "admin", ":unknown"},
		{"an array for a text", "email", []string{"a@example.org", "b@example.org"}, "email:type"},
		{"an object for a text", "email", object{"a": 1}, "email:type"},
		{"a number for a text", "name", 12, "name:type"},
		{"null for a text", "name", nil, "name:type"},
		{"a text for a boolean", "adult", "true", "adult:type"},
		{"a text for an integer", "size", "7", "size:type"},
		{"a fraction for an integer", "size", raw("7.5"), "size:type"},
		{"an exponent for an integer", "size", raw("7e0"), "size:type"},
		{"an integer beyond 64 bits", "size", raw("99999999999999999999"), "size:type"},
		{"an integer that is too small", "size", -4, "size:min"},
		{"an integer that is too big", "size", 11, "size:max"},
		{"a day that does not exist", "born", "1990-02-30", "born:type"},
		{"a date-time for a date", "born", "1990-02-28T00:00:00Z", "born:type"},
		{"a date that is too early", "born", "1899-12-31", "born:min"},
		{"a date that is too late", "born", "2021-01-01", "born:max"},
		{"a date-time without a zone", "at", "2026-01-02T03:04:05", "at:type"},
		{"an option that is none", "colour", "green", "colour:enum"},
		{"a text that is empty", "name", "", "name:required"},
		{"a text of blanks", "name", "  ", "name:required"},
		{"a text that is too short", "name", "é", "name:min_length"},
		{"a text that is too long", "name", "ééééée", "name:max_length"},
		{"a text of another pattern", "name", "ab1", "name:pattern"},
		{"a text that only begins right", "name", "ab\n", "name:characters"},
		{"a NUL", "name", "a\x00b", "name:characters"},
		{"a line break", "badge", "a\r\nBcc: x", "badge:characters"},
		{"a text that turns its direction", "badge", "a\u202eb", "badge:characters"},
		{"a phone number without a country", "phone", "030 1234567", "phone:phone"},
		{"an address with a display name", "email", "Ada <ada@example.org>", "email:email"},
		{"an address in brackets", "email", "<ada@example.org>", "email:email"},
		{"an address group", "email", "group: ada@example.org;", "email:email"},
		{"an address with blanks around it", "email", " ada@example.org ", "email:email"},
		{"an address with a comment", "email", "ada(comment)@example.org", "email:email"},
		{"a quoted local part", "email", `"ada@evil"@example.org`, "email:email"},
		{"an encoded word", "email", "=?utf-8?q?ada?=@example.org@x", "email:email"},
		{"an address literal", "email", "ada@[127.0.0.1]", "email:domain"},
		{"a domain of one label", "email", "ada@localhost", "email:domain"},
		{"a local part of 65 octets", "email", strings.Repeat("a", 65) + "@example.org", "email:email"},
		{"an address of 300 octets", "email", strings.Repeat("a", 290) + "@example.org", "email:email"},
		{"two @", "email", "ada@example.org@evil.example", "email:email"},
		{"a full-width @", "email", "ada＠example.org", "email:email"},
		{"a line break in an address", "email", "ada@example.org\r\nBcc: x@y.example", "email:email"},
		{"a zero-width character", "email", "ada\u200b@example.org", "email:email"},
		{"a rule over two items: equal where different is wanted", "badge", "adé", ":different"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			answer := full()
			answer[c.field] = c.value
			p := w.begin()
			err := p.answer("typed", items(answer))
			problem := w.problem(err, flow.CodeInvalidInput)
			if got := violations(err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			for _, v := range problem.Violations {
				if v.Message == "" || strings.Contains(v.Message, "no value") {
					t.Errorf("%s says %q", v.Code, v.Message)
				}
				if text, ok := c.value.(string); ok && len(text) > 4 && strings.Contains(v.Message, text) {
					t.Errorf("the message repeats what was entered: %q", v.Message)
				}
			}
		})
	}
	if n, _ := w.store.counts(); n > 0 {
		t.Errorf("the store was asked %d times about answers that are wrong anyway", n)
	}
}

func TestOneAnswerTellsEverythingThatIsWrong(t *testing.T) {
	w := newWorld(t, typed)
	p := w.begin()
	err := p.answer("typed", items(object{"email": "x", "name": "1", "size": 99, "born": "never", "extra": 1}))
	want := "email:email name:min_length born:type size:max extra:unknown :at_least_one"
	if got := violations(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if p.show().Step.Name != "typed" {
		t.Error("the step changed")
	}
}

func TestAnswersOfAnotherForm(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	for rule, a := range map[string]flow.Answer{
		"nothing":                   nil,
		"items that are null":       {"items": json.RawMessage("null")},
		"items that are a list":     {"items": json.RawMessage("[]")},
		"another member":            {"items": json.RawMessage("{}"), "x": json.RawMessage("1")},
		"another spelling":          {"Items": json.RawMessage("{}")},
		"a repeated item":           {"items": json.RawMessage(`{"email":"a@example.org","email":"b@example.org"}`)},
		"an item that is not UTF-8": {"items": json.RawMessage("{\"email\":\"a\xff@example.org\"}")},
		"items that are cut off":    {"items": json.RawMessage(`{"email":`)},
		"a code where items belong": {"code": json.RawMessage(`"1"`)},
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := w.Answer(context.Background(), p.token, "about-you", a)
			problem := w.problem(err, flow.CodeMalformed)
			if strings.Contains(problem.Cause.Error(), "example.org") {
				t.Errorf("the log would show what was entered: %v", problem.Cause)
			}
		})
	}
}

func TestFieldsShowWhatToEnter(t *testing.T) {
	w := newWorld(t, typed)
	r, err := w.Start(context.Background(), flow.StartRequest{Locale: "de-AT,en;q=0.5"})
	w.must(err)
	fields := map[string]flow.Field{}
	for _, f := range r.Step.Fields {
		fields[f.Name] = f
	}
	if f := fields["colour"]; f.Options[1] != (flow.Option{Value: "blue", Label: "Himmel"}) || r.Locale != "de" {
		t.Errorf("in %s, the options are %v", r.Locale, f.Options)
	}
	if f := fields["name"]; *f.Min != 2 || *f.Max != 5 || f.Pattern != "[a-zé]+" || !f.Required {
		t.Errorf("the name is %+v", f)
	}
	if f := fields["born"]; f.MinDate != "1900-01-01" || f.MaxDate != "2020-12-31" || f.Label != "Born" {
		t.Errorf("the date is %+v", f)
	}
}
