package flow

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/invopop/jsonschema"
	orderedmap "github.com/pb33f/ordered-map/v2"
)

// SchemaID names the schema of flows files.
const SchemaID = "https://narthex.invalid/schemas/flows.json"

// Schema describes flows files to editors (JSON Schema, draft 2020-12). It knows names, types and bounds; what belongs
// together (an alias and the step that verifies it, a store and what it can keep) only ReadDefinition and CheckStore
// know.
func Schema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Version: jsonschema.Version, ID: SchemaID, Title: "Flows of Narthex",
		Description: "How people register: the items that are asked for, and the steps of each flow.",
		Definitions: jsonschema.Definitions{
			"text": textSchema(), "item": itemSchema(), "flow": flowSchema(), "step": stepSchema(), "limits": limitsSchema(), "identifiers": identifiersSchema(),
			"itemName": named(itemName.String(), "an item's name"), "name": named(otherName.String(), "a name"),
			"duration": {Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`, Examples: []any{"90s", "10m"}},
			"words":    {Type: "string", MinLength: number(1), Pattern: `\S`},
		},
		Type: "object", Required: []string{"flows"}, AdditionalProperties: jsonschema.FalseSchema,
		Properties: properties(
			key("default", ref("name"), "the flow that is taken when nobody names one"),
			key("items", &jsonschema.Schema{Type: "object", PropertyNames: ref("itemName"), AdditionalProperties: ref("item")}, "what can be asked for, by name"),
			key("flows", &jsonschema.Schema{Type: "object", MinProperties: number(1), PropertyNames: ref("name"), AdditionalProperties: ref("flow")}, "the ways to register, by name"),
			key("identifiers", ref("identifiers"), "how the site's identifiers differ from the defaults"),
			key("return_to", &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string", Pattern: `^https?://`}}, "where people may be sent afterwards: origins and addresses"),
			key("limits", ref("limits"), "the budgets, by name"),
		),
	}
}

func limitsSchema() *jsonschema.Schema {
	rate := &jsonschema.Schema{Type: "string", Pattern: limitPattern, Examples: []any{"5/day", "10/3h"}}
	off := &jsonschema.Schema{Const: limitOff}
	var keys []property
	for _, l := range LimitTable() {
		value := &jsonschema.Schema{OneOf: []*jsonschema.Schema{off, rate, {Type: "array", MinItems: number(1), MaxItems: number(mostWindows), Items: rate}}}
		if l.Plain {
			value = &jsonschema.Schema{OneOf: []*jsonschema.Schema{off, between(1, mostCount)}}
		}
		keys = append(keys, key(l.Name, value, l.Meaning))
	}
	return object(nil, keys...)
}

func identifiersSchema() *jsonschema.Schema {
	texts := &jsonschema.Schema{Type: "array", Items: ref("words")}
	return object(nil,
		key("fold_tags", texts, "domains where a+b@ is the same address as a@"),
		key("fold_dots", texts, "domains where a.b@ is the same address as ab@"),
		key("reserved", texts, "usernames that nobody may have, besides the built-in ones"),
		key("product", &jsonschema.Schema{Type: "string", MinLength: number(1), MaxLength: number(longestProduct)}, "what the service is called: no password may be that"))
}

func textSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Description: "one text for everybody, or one for each language by its tag (BCP 47)",
		OneOf:       []*jsonschema.Schema{ref("words"), {Type: "object", AdditionalProperties: ref("words")}},
	}
}

func itemSchema() *jsonschema.Schema {
	types := slices.Sorted(maps.Keys(valueTypes))
	names := []any{string(ItemPassword)}
	for _, t := range types {
		names = append(names, string(t))
	}
	bound := &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer"}, {Type: "string"}}}
	return object([]string{"type"},
		key("type", &jsonschema.Schema{Enum: names}, "what it is"),
		key("label", ref("text"), "what the person reads beside the field"),
		key("required", boolean(), "an empty answer is refused"),
		key("attribute", &jsonschema.Schema{Type: "string", Pattern: attributeName.String()}, "where the store keeps the value"),
		key("alias", boolean(), "the value is a name to log in with, and only one account can have it"),
		key("unique", boolean(), "only one account can have the value"),
		key("encode", &jsonschema.Schema{Enum: encodingNames()}, "how a typed value is written for a store that has only strings"),
		key("autocomplete", &jsonschema.Schema{Type: "string", Pattern: autofill.String()}, "the token of HTML's autofill"),
		key("min", bound, "the least: characters of a text, a value, a day"),
		key("max", bound, "the most: characters of a text, a value, a day"),
		key("pattern", &jsonschema.Schema{Type: "string", MaxLength: number(500)}, "a regular expression that the whole text matches"),
		key("options", &jsonschema.Schema{Type: "array", MinItems: number(1), Items: &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			ref("words"), object([]string{"value"}, key("value", ref("words"), "what is stored"), key("label", ref("text"), "what the person reads")),
		}}}, "the choices of an enum"),
	)
}

func encodingNames() (names []any) {
	for _, e := range encodings() {
		names = append(names, string(e))
	}
	return names
}

func flowSchema() *jsonschema.Schema {
	return object([]string{"title", "steps"},
		key("title", ref("text"), "the heading of its pages"),
		key("open", boolean(), "false closes the flow for everybody"),
		key("stealth", boolean(), "hides from everybody but the owner of an address whether it has an account"),
		key("steps", &jsonschema.Schema{Type: "array", MinItems: number(1), Items: ref("step")}, "the steps, in order; persist is the last"),
	)
}

// stepSchema describes "kind: {settings}": a mapping with one key.
func stepSchema() *jsonschema.Schema {
	some := &jsonschema.Schema{Type: "array", MinItems: number(2), UniqueItems: true, Items: ref("itemName")}
	rule := object(nil, key(ruleEqual, some, "all are the same"), key(ruleDifferent, some, "no two that were filled in are the same"), key(ruleAtLeastOne, some, "one of them was filled in"))
	rule.MinProperties, rule.MaxProperties = number(1), number(1)
	settings := map[string]*jsonschema.Schema{
		"data": object([]string{"items"},
			key("items", &jsonschema.Schema{Type: "array", MinItems: number(1), UniqueItems: true, Items: ref("itemName")}, "the items to ask for, in order"),
			key("rules", &jsonschema.Schema{Type: "array", Items: rule}, "rules over items of this step")),
		"username": object(nil,
			key("generate", &jsonschema.Schema{Type: "string", Examples: []any{"uuid", "u{alnum:11}"}}, "uuid or a pattern; without it people choose"),
			key("attribute", &jsonschema.Schema{Type: "string", Pattern: attributeName.String()}, "where the store keeps the username"),
			key("label", ref("text"), "what the person reads beside the field")),
		"verify-email": object([]string{"item"},
			key("item", ref("itemName"), "the item whose address it is"),
			key("digits", between(leastDigits, mostDigits), "digits of the code"),
			key("lifetime", ref("duration"), "how long a code is good for"),
			key("attempts", between(1, mostTries), "wrong codes until the registration is over"),
			key("resend_after", ref("duration"), "how long until another mail may be asked for")),
		"persist": {OneOf: []*jsonschema.Schema{object(nil), {Type: "null"}}},
	}
	step := object(nil)
	step.MinProperties, step.MaxProperties = number(1), number(1)
	for _, kind := range slices.Sorted(maps.Keys(settings)) {
		s := settings[kind]
		own := s
		if kind == "persist" {
			own = s.OneOf[0]
		}
		own.Properties.Set("name", &jsonschema.Schema{Ref: "#/$defs/name", Description: "the step's name; without it the kind"})
		step.Properties.Set(kind, s)
	}
	return step
}

// The pieces that schemas are made of.

type property struct {
	name   string
	schema *jsonschema.Schema
}

// key describes one key of a mapping. What it says of the key does not touch a schema that several keys share.
func key(name string, s *jsonschema.Schema, meaning string) property {
	own := *s
	own.Description = meaning
	return property{name, &own}
}

func properties(all ...property) *orderedmap.OrderedMap[string, *jsonschema.Schema] {
	p := jsonschema.NewProperties()
	for _, one := range all {
		p.Set(one.name, one.schema)
	}
	return p
}

func object(required []string, all ...property) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", Required: required, AdditionalProperties: jsonschema.FalseSchema, Properties: properties(all...)}
}

func ref(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }
func boolean() *jsonschema.Schema        { return &jsonschema.Schema{Type: "boolean"} }
func number(n uint64) *uint64            { return &n }

func named(pattern, what string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern, Description: what}
}

func between(low, high int) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: json.Number(strconv.Itoa(low)), Maximum: json.Number(strconv.Itoa(high))}
}
