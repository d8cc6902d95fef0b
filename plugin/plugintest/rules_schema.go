package plugintest

import (
	"fmt"
	"slices"

	"github.com/narthex/narthex/plugin"
)

func schemaRules() []rule {
	return []rule{
		{
			name:  "CheckSchema/finds nothing wrong with what the rules store",
			law:   "CheckSchema tells at start whether what a flow stores can be stored; what the other rules store can, or the suite has to use other names",
			check: schemaFits,
		},
		{
			name:  "CheckSchema/what does not fit is found, all of it, and comes with a fix",
			law:   "every finding is reported at once, with the item, what is wrong and what to do about it",
			check: schemaFindings,
		},
	}
}

// uses are those of a flow that makes what person makes.
func (s *store) uses() []plugin.AttributeUse {
	use := func(attribute string, key plugin.KeyKind, required bool) plugin.AttributeUse {
		return plugin.AttributeUse{
			Item: "item-" + attribute, Flow: "suite", Step: "data", Attribute: attribute, Type: plugin.TypeString,
			MaxBytes: 64, Required: required, Key: key,
		}
	}
	password := use("", "", true)
	password.Item = "password"
	return []plugin.AttributeUse{
		use(s.names.Username, plugin.KindUsername, true), use(s.names.Email, plugin.KindEmail, true), use(s.names.Phone, plugin.KindPhone, false),
		use(s.names.Unique, plugin.KindUnique, false), use(s.names.GivenName, "", true), use(s.names.FamilyName, "", true),
		use(s.names.Notes, "", false), password,
	}
}

func schemaFits(t TB, s *store) {
	report, err := s.SchemaChecker.CheckSchema(s.ctx, s.uses())
	must(t, "CheckSchema", err)
	must(t, "the report", report.Validate())
	for _, f := range report.Findings {
		t.Errorf("attribute %q (%s): %s; %s", f.Attribute, f.Item, f.Problem, f.Fix)
	}
}

func schemaFindings(t TB, s *store) {
	uses := s.uses()
	wrong := []string{"too-long", "wrong-encoding"}
	tooLong := uses[5]
	tooLong.Item, tooLong.MaxBytes = "too-long", plugin.MaxValueBytes+1
	encoded := uses[6]
	encoded.Item, encoded.Type, encoded.Encoding = "wrong-encoding", plugin.TypeBoolean, plugin.EncodingGeneralizedTime
	uses = append(uses, tooLong, encoded)
	for _, kind := range plugin.ValueTypes() {
		if !s.keeps(kind) && !s.hasSchema() { // a schema may have a syntax for it
			one := uses[6]
			one.Item, one.Type, one.Encoding = "type-"+string(kind), kind, plugin.EncodingNone
			uses, wrong = append(uses, one), append(wrong, one.Item)
		}
	}
	report, err := s.SchemaChecker.CheckSchema(s.ctx, uses)
	must(t, "CheckSchema", err)
	for _, item := range wrong {
		i := slices.IndexFunc(report.Findings, func(f plugin.SchemaFinding) bool { return f.Item == item })
		if i < 0 {
			t.Errorf("nothing is found wrong with the item %q", item)
			continue
		}
		if f := report.Findings[i]; f.Problem == "" || f.Fix == "" || f.Flow != "suite" || f.Step != "data" {
			t.Errorf("the finding about %q does not say where, what and how to fix it: %s", item, fmt.Sprintf("%+v", f))
		}
	}
}
