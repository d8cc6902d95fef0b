package plugin_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"log/slog"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
)

func TestASecretIsNotPrinted(t *testing.T) {
	const clear = "hunter2"
	s := plugin.NewSecret(clear)
	type hidden struct{ s plugin.Secret }
	type shown struct {
		S plugin.Secret
		P *plugin.Secret
		L []plugin.Secret
		M map[string]plugin.Secret
	}
	forms := map[string]any{
		"itself": s, "pointer": &s, "unexported field": hidden{s}, "pointer to unexported field": &hidden{s},
		"fields":  shown{s, &s, []plugin.Secret{s}, map[string]plugin.Secret{"k": s}},
		"account": plugin.NewAccount{Password: s}, "any": []any{s, hidden{s}},
	}
	refuse := func(t *testing.T, way, out string) {
		t.Helper()
		for _, leak := range []string{clear, fmt.Sprintf("%x", clear), fmt.Sprintf("%X", clear), "104 117 110", "aHVudGVyMg"} {
			if strings.Contains(out, leak) {
				t.Errorf("%s shows it: %s", way, out)
			}
		}
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%c", "%U", "%T", "%10s", "%.3s", "%!"} {
				refuse(t, verb, fmt.Sprintf(verb, form))
			}
			refuse(t, "Sprint", fmt.Sprint(form)+fmt.Sprintln(form))
			refuse(t, "an error", fmt.Errorf("failed: %v", form).Error())

			var out bytes.Buffer
			slog.New(slog.NewTextHandler(&out, nil)).With("w", form).Info("x", "v", form, slog.Group("g", "v", form))
			refuse(t, "slog text", out.String())
			out.Reset()
			slog.New(slog.NewJSONHandler(&out, nil)).With("w", form).Info("x", "v", form, slog.Group("g", "v", form))
			refuse(t, "slog JSON", out.String())

			encoded, _ := json.Marshal(form)
			refuse(t, "encoding/json", string(encoded))
			encoded, _ = xml.Marshal(form)
			refuse(t, "encoding/xml", string(encoded))
			out.Reset()
			_ = gob.NewEncoder(&out).Encode(form)
			refuse(t, "encoding/gob", out.String())
			out.Reset()
			_ = template.Must(template.New("").Parse("{{.}}")).Execute(&out, form)
			refuse(t, "html/template", out.String())
		})
	}
}

func TestASecretCannotBeMarshalled(t *testing.T) {
	v := struct{ S plugin.Secret }{plugin.NewSecret("hunter2")}
	if _, err := json.Marshal(v); err == nil {
		t.Error("encoding/json passes it over in silence")
	}
	if _, err := xml.Marshal(v); err == nil {
		t.Error("encoding/xml passes it over in silence")
	}
	if err := gob.NewEncoder(&bytes.Buffer{}).Encode(v); err == nil {
		t.Error("encoding/gob passes it over in silence")
	}
}

func TestSecretsCompare(t *testing.T) {
	a, b := plugin.NewSecret("hunter2"), plugin.NewSecret("hunter2")
	if !a.Equal(b) || a.Equal(plugin.NewSecret("hunter3")) || a.Equal(plugin.Secret{}) {
		t.Error("equal texts are equal secrets, and no others")
	}
	if !plugin.NewSecret("").Equal(plugin.Secret{}) || !plugin.NewSecret("").Empty() || a.Empty() {
		t.Error("the zero secret is the empty one")
	}
}
