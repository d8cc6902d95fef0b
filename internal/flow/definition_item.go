package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/plugin"
)

// readItem reads one entry of items. Keys that mean nothing for the item's type are faults.
func (r *reader) readItem(name string, n *config.Node) *Item {
	m := n.Mapping()
	i := &Item{Name: name, Required: m.Bool("required", false)}
	if t := m.Need("type"); t != nil {
		i.Type = readItemType(t)
	}
	if label := m.Get("label"); label != nil {
		i.Label = r.readText(label)
	}
	i.readStorage(m)
	if at := m.Get("autocomplete"); at != nil {
		i.Autocomplete = at.Str()
		if !autofill.MatchString(i.Autocomplete) {
			at.Fault("this is no autofill token", "use a token of HTML's autocomplete attribute, such as given-name")
		}
	}
	i.readBounds(m)
	i.readPattern(m)
	r.readOptions(i, m)
	m.Done()
	return i
}

var autofill = regexp.MustCompile(`^[a-z0-9-]+( [a-z0-9-]+){0,3}$`)

func readItemType(n *config.Node) ItemType {
	t := ItemType(n.Str())
	if _, known := valueTypes[t]; !known && t != ItemPassword {
		var all []string
		for t := range valueTypes {
			all = append(all, string(t))
		}
		slices.Sort(all)
		n.Fault(fmt.Sprintf("there is no type %q", t), "use one of "+strings.Join(all, ", ")+" or "+string(ItemPassword))
		return ItemString
	}
	return t
}

// reservedAttributes are never an item's: they decide what an account is, or hold its password.
var reservedAttributes = []string{plugin.PasswordField, "userpassword", "unicodepwd", "objectclass", "memberof", "dn"}

// readStorage reads where and how the value is stored, and whether only one account can have it.
func (i *Item) readStorage(m *config.Mapping) {
	if at := m.Get("attribute"); at != nil {
		i.Attribute = readAttribute(at)
		if i.Type == ItemPassword {
			at.Fault("a password is stored in no attribute", "remove attribute")
		}
	}
	if at := m.Get("alias"); at != nil {
		if i.Alias = at.Bool(); i.Alias && i.Type != ItemEmail && i.Type != ItemPhone {
			at.Fault(fmt.Sprintf("an item of type %s cannot be an alias", i.Type), "only email and phone can; use unique for others")
		}
	}
	if at := m.Get("unique"); at != nil {
		i.Unique = at.Bool()
		switch {
		case i.Unique && i.Alias:
			at.Fault("alias and unique exclude one another", "remove unique: an alias is unique anyway")
		case i.Unique && (i.Type == ItemPassword || i.Type == ItemBoolean):
			at.Fault(fmt.Sprintf("an item of type %s cannot be unique", i.Type), "remove unique")
		}
	}
	if i.isKey() && i.Attribute == "" {
		m.Node().Fault("an alias or a unique value needs an attribute that stores it", "add attribute")
	}
	if at := m.Get("encode"); at != nil {
		i.Encode = plugin.Encoding(at.Str())
		if i.Encode == plugin.EncodingNone || !i.Encode.Fits(valueTypes[i.Type]) {
			at.Fault(fmt.Sprintf("values of type %s cannot be written as %q", i.Type, i.Encode), encodingsFor(i.Type))
		}
		if i.isKey() {
			at.Fault("a unique value is stored as it is typed", "remove encode")
		}
	}
}

// encodings lists what encode can be.
func encodings() []plugin.Encoding {
	return []plugin.Encoding{
		plugin.EncodingUpperBoolean, plugin.EncodingLowerBoolean, plugin.EncodingDigitBoolean,
		plugin.EncodingGeneralizedTime, plugin.EncodingISODate, plugin.EncodingRFC3339, plugin.EncodingDecimal,
	}
}

func encodingsFor(t ItemType) string {
	var fitting []string
	for _, e := range encodings() {
		if e.Fits(valueTypes[t]) {
			fitting = append(fitting, fmt.Sprintf("%q", e))
		}
	}
	if len(fitting) == 0 {
		return "remove encode: it is stored as a string anyway"
	}
	return "use one of " + strings.Join(fitting, ", ")
}

func readAttribute(n *config.Node) string {
	name := n.Str()
	switch {
	case !attributeName.MatchString(name):
		n.Fault(fmt.Sprintf("%q cannot be the name of an attribute", name), "use letters, digits, hyphens and underscores, beginning with a letter")
	case slices.Contains(reservedAttributes, strings.ToLower(name)):
		n.Fault(fmt.Sprintf("no item may fill the attribute %q", name), "choose another attribute")
	}
	return name
}

var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)

// readBounds reads min and max: the length of texts, the value of everything that has an order.
func (i *Item) readBounds(m *config.Mapping) {
	low, high := m.Get("min"), m.Get("max")
	switch i.Type {
	case ItemString:
		i.bound(low, high, 0, maxTextLength)
		i.Max = orElse(i.Max, defaultMaxText)
	case ItemPassword:
		i.bound(low, nil, shortestPassword, 64)
		i.bound(nil, high, 64, defaultMaxPassword)
		i.Min, i.Max = orElse(i.Min, defaultMinPassword), orElse(i.Max, defaultMaxPassword)
	case ItemInteger:
		i.bound(low, high, -1<<53, 1<<53) // what every client's numbers can hold
	case ItemDate, ItemDateTime:
		i.MinDate, i.MaxDate = readDate(i.Type, low), readDate(i.Type, high)
	default:
		for _, at := range []*config.Node{low, high} {
			if at != nil {
				at.Fault(fmt.Sprintf("values of type %s have no bounds", i.Type), "remove it")
			}
		}
	}
	if i.Min != nil && i.Max != nil && *i.Min > *i.Max || i.MinDate != "" && i.MaxDate != "" && i.MinDate > i.MaxDate {
		m.Node().Fault("min is higher than max", "exchange them")
	}
}

func (i *Item) bound(low, high *config.Node, least, most int64) {
	if low != nil {
		n := low.Int(least, most)
		i.Min = &n
	}
	if high != nil {
		if i.isText() {
			least = max(least, 1)
		}
		n := high.Int(least, most)
		i.Max = &n
	}
}

func orElse(n *int64, otherwise int64) *int64 {
	if n != nil {
		return n
	}
	return &otherwise
}

func readDate(t ItemType, n *config.Node) string {
	if n == nil {
		return ""
	}
	v, ok := dateValue(t, n.Str())
	if !ok {
		n.Fault(fmt.Sprintf("this is not a %s", t), map[ItemType]string{
			ItemDate: `write it like "2006-01-02"`, ItemDateTime: `write it like "2006-01-02T15:04:05Z"`,
		}[t])
	}
	return v.Text
}
