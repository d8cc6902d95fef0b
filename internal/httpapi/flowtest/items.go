package flowtest

import (
	"encoding/json"
	"strings"

	"github.com/narthex/narthex/internal/flow"
)

// decodeItems does what a data step does: known members, texts, required ones, longest and shortest.
func decodeItems(a flow.Answer, fields []flow.Field) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if len(a) != 1 || json.Unmarshal(a["items"], &raw) != nil {
		return nil, &flow.Problem{Code: flow.CodeMalformed}
	}
	var wrong []flow.Violation
	items := map[string]string{}
	for _, f := range fields {
		value, sent := raw[f.Name]
		delete(raw, f.Name)
		var text string
		switch {
		case f.Type == "boolean" || f.Type == "integer":
			text = string(value)
		case sent && json.Unmarshal(value, &text) != nil:
			wrong = append(wrong, flow.Violation{Field: f.Name, Code: "type", Message: "This must be a text."})
			continue
		}
		n := int64(len([]rune(text)))
		switch {
		case f.Required && strings.TrimSpace(text) == "":
			wrong = append(wrong, flow.Violation{Field: f.Name, Code: "required", Message: "Please fill this in."})
		case f.Type == "email" && text != "" && !strings.Contains(text, "@"):
			wrong = append(wrong, flow.Violation{Field: f.Name, Code: "email", Message: "This is not an email address."})
		case f.Type == "password" && f.Min != nil && n < *f.Min:
			wrong = append(wrong, flow.Violation{Field: f.Name, Code: "min_length", Message: "Please use at least 15 characters."})
		}
		items[f.Name] = text
	}
	for name := range raw {
		wrong = append(wrong, flow.Violation{Field: name, Code: "unknown", Message: "This is not asked for."})
	}
	if len(wrong) > 0 {
		return nil, &flow.Problem{Code: flow.CodeInvalidInput, Violations: wrong}
	}
	return items, nil
}
