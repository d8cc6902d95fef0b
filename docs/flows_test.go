package docs_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/narthex/narthex/internal/flow"
)

func TestFlowsFilesAreWhatTheDocumentSays(t *testing.T) {
	var sound, wrong int
	for _, b := range blocks(t, "flows.md") {
		if b.language != "yaml" {
			continue
		}
		_, err := flow.ReadDefinition("flows.yaml", []byte(b.text))
		if !slices.Contains(b.marks, "wrong") {
			sound++
			if err != nil {
				t.Errorf("a file that should be sound: %v\n%s", err, b.text)
			}
			continue
		}
		wrong++
		if err == nil {
			t.Errorf("a file that should have faults has none:\n%s", b.text)
			continue
		}
		for line := range strings.Lines(b.after) {
			told, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "…")
			if !strings.Contains(err.Error(), told) {
				t.Errorf("the document promises\n%s\nand the faults are\n%v", told, err)
			}
		}
		if b.after == "" {
			t.Errorf("the document does not show what is said about\n%s", b.text)
		}
	}
	if sound < 3 || wrong < 2 {
		t.Errorf("found %d sound files and %d wrong ones: the blocks are not marked as this test reads them", sound, wrong)
	}
}

func TestEditorsAcceptTheSoundFiles(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(flow.SchemaID, asJSON(t, flow.Schema())); err != nil {
		t.Fatal(err)
	}
	editor, err := compiler.Compile(flow.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(t, "flows.md") {
		if b.language != "yaml" || slices.Contains(b.marks, "wrong") {
			continue
		}
		var content any
		if err := yaml.Unmarshal([]byte(b.text), &content); err != nil {
			t.Fatal(err)
		}
		if err := editor.Validate(asJSON(t, content)); err != nil {
			t.Errorf("an editor refuses %v\n%s", err, b.text)
		}
	}
}

// asJSON is a value as whoever reads its JSON sees it.
func asJSON(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	read, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestTheBuiltInFlowIsShownAsItIs(t *testing.T) {
	_, builtin, _ := strings.Cut(read(t, "../internal/flow/default.yaml"), "\n")
	all := blocks(t, "flows.md")
	if got := all[len(all)-1].text; got != builtin {
		t.Errorf("the document shows\n%s\nand the built-in file is\n%s", got, builtin)
	}
}

func TestTheTableOfLimitsIsTheCodes(t *testing.T) {
	var want []string
	for _, l := range flow.LimitTable() {
		want = append(want, "`"+l.Name+"` | "+l.Meaning+" | `"+l.Default+"`")
	}
	var got []string
	_, section, _ := strings.Cut(read(t, "flows.md"), "\n## Limits\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range tableRows(section, 3) {
		if row[0] != "name" {
			got = append(got, strings.Join(row, " | "))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the document says\n%s\nand the code\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
