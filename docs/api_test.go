package docs_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

const contract = "../internal/httpapi/openapi.yaml"

func openAPI(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestErrorTableHasEveryCodeOfTheContract(t *testing.T) {
	doc := openAPI(t)
	var want []string
	for _, code := range doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Enum {
		want = append(want, code.(string))
	}
	var got []string
	statuses := map[string]string{}
	for _, row := range codeRows(t, read(t, "api.md")) {
		got, statuses[row[1]] = append(got, strings.Trim(row[1], "`")), row[0]
	}
	if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("the document's codes are\n%q\nand the contract's are\n%q", got, want)
	}
	for _, row := range codeRows(t, doc.Info.Description) {
		if statuses[row[1]] != row[0] {
			t.Errorf("%s has status %s in the document and %s in the contract", row[1], statuses[row[1]], row[0])
		}
	}
}

// codeRows returns the rows of a table of codes: status, code, words.
func codeRows(t *testing.T, text string) [][]string {
	t.Helper()
	rows := slices.DeleteFunc(tableRows(text, 3), func(row []string) bool { return len(row[0]) != 3 || !strings.HasPrefix(row[1], "`") })
	if len(rows) == 0 {
		t.Fatal("there is no table of codes")
	}
	return rows
}

func TestRequestsOfTheDocumentAreInTheContract(t *testing.T) {
	doc, found := openAPI(t), 0
	for _, row := range tableRows(read(t, "api.md"), 2) {
		method, path, is := strings.Cut(strings.Trim(row[0], "`"), " ")
		if !is || !strings.HasPrefix(path, "/v1/") {
			continue
		}
		found++
		if item := doc.Paths.Value(path); item == nil || item.GetOperation(method) == nil {
			t.Errorf("the contract has no %s %s", method, path)
		}
	}
	if found < 4 {
		t.Errorf("found only %d requests", found)
	}
}

// TestAnswersOfTheDocumentAreInTheContract holds the answers that are shown whole against their schemas.
func TestAnswersOfTheDocumentAreInTheContract(t *testing.T) {
	doc, found := openAPI(t), 0
	for object, schema := range map[string]string{`{"default"`: "FlowList", `{"account":{"id"`: "LoginResponse", `{"code"`: "Problem"} {
		_, from, is := strings.Cut(read(t, "api.md"), "\n    "+object)
		if !is {
			t.Errorf("the document shows no %s", schema)
			continue
		}
		text, _, _ := strings.Cut(object+from, "\n\n")
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		found++
		if err := doc.Components.Schemas[schema].Value.VisitJSON(value); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
	}
	if found != 3 {
		t.Errorf("found %d answers", found)
	}
}
