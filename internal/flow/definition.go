package flow

import (
	"regexp"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

// Definition is a flows file that has been read and checked.
type Definition struct {
	// File is its name, for messages.
	File string
	// Default is the flow that is taken when none is named. It is always open; empty when no flow is.
	Default string
	// Flows in the order of the file.
	Flows []*Flow
	// Items by name.
	Items map[string]*Item
	// Identifiers is how the site's identifiers differ from the defaults.
	Identifiers identifier.Options
	// ReturnTo lists where people may be sent afterwards, besides paths of the service itself.
	ReturnTo Returns
	// Limits are the budgets, with their defaults.
	Limits Limits
	// Languages that texts of the file are in.
	Languages []string
}

// Flow returns a flow by its name, or nil.
func (d *Definition) Flow(name string) *Flow {
	for _, f := range d.Flows {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Flow is one way to register.
type Flow struct {
	Name  string
	Title Text
	// Open is false for a flow that refuses everybody.
	Open bool
	// Stealth hides from everybody but the owner of an address whether it has an account.
	Stealth bool
	Steps   []*StepDefinition
}

// StepDefinition is one step of a flow as the file has it.
type StepDefinition struct {
	Name, Kind string
	Settings   Settings
}

// Settings are those of one kind of step.
type Settings interface {
	// supplies lists the items whose values come from this step.
	supplies() []*Item
	// step makes the step that runs.
	step(name string, r *runtime) (Step, error)
}

// ItemType says what an item's values are.
type ItemType string

// The types of items.
const (
	ItemString   ItemType = "string"
	ItemBoolean  ItemType = "boolean"
	ItemDate     ItemType = "date"
	ItemDateTime ItemType = "datetime"
	ItemInteger  ItemType = "integer"
	ItemEnum     ItemType = "enum"
	ItemEmail    ItemType = "email"
	ItemPhone    ItemType = "phone"
	ItemPassword ItemType = "password"
)

// itemUsername is the type of the username's field. It cannot be chosen in the file: the username has a step of its own.
const itemUsername ItemType = "username"

// valueTypes says as what the values of an item are stored. Passwords are no values.
var valueTypes = map[ItemType]plugin.ValueType{
	ItemString: plugin.TypeString, ItemBoolean: plugin.TypeBoolean, ItemDate: plugin.TypeDate,
	ItemDateTime: plugin.TypeDateTime, ItemInteger: plugin.TypeInteger, ItemEnum: plugin.TypeString,
	ItemEmail: plugin.TypeString, ItemPhone: plugin.TypeString,
}

// Item is one datum that flows collect.
type Item struct {
	Name     string
	Type     ItemType
	Label    Text
	Required bool
	// Attribute that stores the value; empty when nothing does.
	Attribute string
	// Alias makes the value a name to log in with, Unique a value that only one account can have.
	Alias, Unique bool
	// Encode says how the value is written in a store that has only strings.
	Encode plugin.Encoding
	// Autocomplete is a token of HTML's autofill, or "".
	Autocomplete string

	// Min and Max bound the length in characters of texts and the value of integers; nil: no bound.
	Min, Max *int64
	// MinDate and MaxDate bound dates and date-times, in the text of the type; empty: no bound.
	MinDate, MaxDate string
	// Pattern is matched by the whole text; empty: by every text.
	Pattern string
	pattern *regexp.Regexp
	// Options of an enum.
	Options []Choice
}

// Choice is one option of an enum.
type Choice struct {
	Value string
	Label Text
}

// Bounds of texts whose item sets none.
const (
	defaultMaxText     = 256
	maxTextLength      = 1000 // 4,000 bytes at most, below plugin.MaxValueBytes
	defaultMinPassword = 15
	defaultMaxPassword = 256
	shortestPassword   = 8
)

// isText tells whether min, max and pattern are about the characters of a text.
func (i *Item) isText() bool {
	return i.Type == ItemString || i.Type == ItemPassword
}

// isKey tells whether only one account can have the value.
func (i *Item) isKey() bool { return i.Alias || i.Unique || i.Type == itemUsername }

// maxBytes is the longest text that the item's values can have.
func (i *Item) maxBytes() int {
	switch i.Type {
	case ItemString, ItemPassword:
		return int(*i.Max) * 4
	case ItemEmail, itemUsername:
		return 254
	case ItemPhone:
		return 32
	case ItemEnum:
		longest := 0
		for _, o := range i.Options {
			longest = max(longest, len(o.Value))
		}
		return longest
	default:
		return 20
	}
}
