package entry

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/narthex/narthex/plugin"
)

// The computed names: no attribute of a flow that is called so can be mentioned in a template.
const (
	usernameName = "username"
	attemptName  = "attempt"
)

// known has what the templates of one account are filled with.
type known struct {
	account plugin.NewAccount
	numbers map[string]int64 // by lower-case directory attribute
	now     time.Time
	// flowName is the name that flows give a directory attribute.
	flowName func(attribute string) string
}

// value implements values.
func (k known) value(r reference) (string, bool) {
	switch r.function {
	case "now":
		return k.clock(r.name), true
	case "random":
		return randomUUID(), true
	case "lower":
		text, found := k.plain(r.name)
		return strings.ToLower(text), found
	case "ascii":
		text, found := k.plain(r.name)
		return toASCII(text), found
	default:
		return k.plain(r.name)
	}
}

// plain returns the first value of an attribute, by the name that the flows file or the directory has for it.
func (k known) plain(name string) (string, bool) {
	switch name {
	case usernameName:
		return k.account.Username(), true
	case attemptName:
		return string(k.account.Attempt), true
	}
	if text, found := k.entered(name); found {
		return text, true
	}
	if text, found := k.entered(k.flowName(name)); found {
		return text, true
	}
	if n, found := k.numbers[strings.ToLower(name)]; found {
		return strconv.FormatInt(n, 10), true
	}
	return "", false
}

// entered returns the first value of an attribute of the flow: of its keys first, in the account's order.
func (k known) entered(name string) (string, bool) {
	for _, key := range k.account.Keys {
		if key.Attribute == name {
			return key.Value, true
		}
	}
	text := k.account.Attributes.Text(name)
	return text, text != ""
}

// secondsOfADay is what shadowLastChange counts in (RFC 2307).
const secondsOfADay = 24 * 60 * 60

func (k known) clock(form string) string {
	now := k.now.UTC()
	switch form {
	case "generalized-time":
		return now.Format("20060102150405Z") // RFC 4517, section 3.3.13
	case "date":
		return now.Format(time.DateOnly)
	case "days":
		return strconv.FormatInt(now.Unix()/secondsOfADay, 10)
	default:
		return strconv.FormatInt(now.Unix(), 10)
	}
}

// randomUUID returns a UUID of version 4 (RFC 9562, section 5.4).
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// spelled has letters that Unicode does not take apart.
var spelled = strings.NewReplacer("ß", "ss", "ẞ", "SS", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE", "ø", "o", "Ø", "O",
	"ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ð", "d", "Ð", "D", "þ", "th", "Þ", "Th", "ı", "i")

// toASCII writes a text for attributes that hold IA5 only, such as gecos: letters lose their marks, what has no such
// spelling is left out. It may leave nothing.
func toASCII(text string) string {
	plain := strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII || unicode.IsControl(c) {
			return -1
		}
		return c
	}, norm.NFKD.String(spelled.Replace(text)))
	return strings.Join(strings.Fields(plain), " ")
}
