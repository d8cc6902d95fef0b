package flow_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/narthex/narthex/internal/flow"
)

// editor is a JSON Schema validator other than ours, as editors have one.
func editor(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(flow.Schema())
	if err != nil {
		t.Fatal(err)
	}
	content, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(flow.SchemaID, content); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(flow.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func judge(t *testing.T, s *jsonschema.Schema, file string) error {
	t.Helper()
	var content any
	if err := yaml.Unmarshal([]byte(file), &content); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(instance)
}

func TestEditorsAcceptWhatTheReaderAccepts(t *testing.T) {
	s := editor(t)
	for name, file := range map[string]string{"full": fullFile, "shortest": shortestFile} {
		if _, err := flow.ReadDefinition("flows.yaml", []byte(file)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := judge(t, s, file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEditorsRefuseMistypedKeysAndValues(t *testing.T) {
	s := editor(t)
	for _, change := range [][2]string{
		{"stealth: true", "stealht: true"}, {"stealth: true", "stealth: yes please"}, {"type: email", "type: mail"}, {"verify-email", "verify-mail"},
		{"digits: 6", "digits: 5"}, {"lifetime: 5m", "lifetime: soon"}, {"equal:", "same:"}, {"title:", "titel:"}, {"- persist: {}", "- persist: {now: true}"}, {"default: students", "default: Students"},
	} {
		if !strings.Contains(fullFile, change[0]) {
			t.Fatalf("the file has no %q", change[0])
		}
		if err := judge(t, s, strings.Replace(fullFile, change[0], change[1], 1)); err == nil {
			t.Errorf("%q is accepted", change[1])
		}
	}
}

var knownHere = regexp.MustCompile(`[Kk]nown here: ([a-z_, ]+)`)

// The reader tells its keys when it meets an unknown one.
func TestTheSchemaHasTheKeysOfTheReader(t *testing.T) {
	text, err := json.Marshal(flow.Schema())
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct {
			Properties map[string]struct{ Properties map[string]any }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	of := func(m map[string]struct{ Properties map[string]any }) []string { return slices.Sorted(maps.Keys(m)) }
	for place, want := range map[string][]string{
		"zzz: 1\ndefault: f\nflows: {f: {title: F, steps: [persist: {}]}}":                             slices.Sorted(maps.Keys(schema.Properties)),
		"items: {i: {type: string, zzz: 1}}\ndefault: f\nflows: {f: {title: F, steps: [persist: {}]}}": of(schema.Defs["item"].Properties),
		"default: f\nflows: {f: {title: F, zzz: 1, steps: [persist: {}]}}":                             of(schema.Defs["flow"].Properties),
		"identifiers: {zzz: 1}\ndefault: f\nflows: {f: {title: F, steps: [persist: {}]}}":              of(schema.Defs["identifiers"].Properties),
		"limits: {zzz: 1}\ndefault: f\nflows: {f: {title: F, steps: [persist: {}]}}":                   of(schema.Defs["limits"].Properties),
	} {
		compareKeys(t, place, want)
	}
	for kind, step := range schema.Defs["step"].Properties {
		want := slices.Sorted(maps.Keys(step.Properties))
		if kind == "persist" {
			want = []string{"name"}
		}
		compareKeys(t, fmt.Sprintf("default: f\nflows: {f: {title: F, steps: [%s: {zzz: 1}]}}", kind), want)
	}
}

func compareKeys(t *testing.T, file string, want []string) {
	t.Helper()
	_, err := flow.ReadDefinition("flows.yaml", []byte(file))
	var found []string
	for line := range strings.Lines(fmt.Sprint(err)) {
		if m := knownHere.FindStringSubmatch(line); m != nil && strings.Contains(line, `"zzz"`) {
			found = strings.Split(strings.TrimSpace(m[1]), ", ")
		}
	}
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(found, want) {
		t.Errorf("the reader knows %v, the schema %v, for\n%s", found, want, file)
	}
}

const shortestFile = `
default: f
items:
  email: {type: email, alias: true, required: true, attribute: mail}
  password: {type: password, required: true}
flows:
  f:
    title: F
    steps: [data: {items: [email, password]}, username: {generate: uuid}, verify-email: {item: email}, persist: {}]
`

const fullFile = `
default: students
items:
  email:        {type: email, alias: true, required: true, attribute: mail, autocomplete: email}
  given_name:   {type: string, min: 1, max: 64, required: true, attribute: givenName, autocomplete: given-name}
  born:         {type: date, min: "1900-01-01", max: "2015-12-31", attribute: dateOfBirth, encode: generalized-time}
  card:         {type: string, unique: true, required: true, attribute: employeeNumber, pattern: "[0-9]{8}", label: {en: Card number, de: Kartennummer}}
  faculty:      {type: enum, attribute: departmentNumber, options: [law, {value: med, label: {en: Medicine, de: Medizin}}, {value: art}]}
  newsletter:   {type: boolean, attribute: newsletter, encode: "TRUE/FALSE", label: Send me the newsletter}
  password:     {type: password, required: true, min: 20, autocomplete: new-password}
  repeated:     {type: password, required: true, label: {en: The same once more, de: Noch einmal}}
flows:
  students:
    title: {en: For students, de: Für Studierende}
    stealth: true
    steps:
      - data: {name: about-you, items: [email, given_name, born]}
      - verify-email: {name: proof, item: email, digits: 6, lifetime: 5m, attempts: 3, resend_after: 90s}
      - data: {name: studies, items: [card, faculty, newsletter]}
      - username: {attribute: uid, label: Your username}
      - data: {name: password, items: [password, repeated], rules: [equal: [password, repeated], at_least_one: [password, repeated]]}
      - persist:
  guests:
    title: For guests
    open: false
    steps:
      - data: {items: [email, given_name, password]}
      - verify-email: {item: email}
      - username: {generate: "guest-{digit:8}"}
      - persist: {}
`
