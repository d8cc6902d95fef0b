package identifier

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/narthex/narthex/plugin"
)

// canonicalVersion begins every canonical key. It changes with every rule that changes which spellings are equal.
const canonicalVersion = "1:"

// Codes of an Error.
const (
	CodeCharacters = "characters"
	CodeConfusable = "confusable"
	CodeCommon     = "password_common"
	CodeDomain     = "domain"
	CodeEmail      = "email"
	CodeMaxLength  = "max_length"
	CodeMinLength  = "min_length"
	CodePassword   = "password"
	CodePhone      = "phone"
	CodeRequired   = "required"
	CodeReserved   = "reserved"
	CodeUsername   = "username"
)

// Error says why something is not accepted. It never holds what was entered.
type Error struct {
	// Code for programs, Detail for people who read logs.
	Code, Detail string
}

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

func refuse(code, detail string) error { return &Error{code, detail} }

// Identifier is a name that was accepted.
type Identifier struct {
	Kind plugin.KeyKind
	// Canonical is shared by all spellings that are equal, and by no others.
	Canonical string
	// Value is what was entered; for a username, the form the account gets.
	Value string
}

// Key returns the identifier as the key that attribute holds. An address has its domain in ASCII there: that is where mail
// for it goes anyway, and all that a directory's mail can hold (RFC 4524, section 2.16: IA5).
func (i Identifier) Key(attribute string, login bool) plugin.Key {
	value := i.Value
	if i.Kind == plugin.KindEmail {
		value = withASCIIDomain(value)
	}
	return plugin.Key{Kind: i.Kind, Canonical: i.Canonical, Value: value, Attribute: attribute, Login: login}
}

// Options adapt the rules to a site. The zero Options are the defaults.
type Options struct {
	// FoldSubaddress lists domains where "a+b@" is "a@", FoldDots those where "a.b@" is "ab@" (RFC 5233). Delivery
	// always uses the address as entered.
	FoldSubaddress, FoldDots []string
	// Reserved adds usernames that nobody may choose.
	Reserved []string
	// UsernamePattern, anchored by itself, replaces DefaultUsernamePattern. It judges the mapped form.
	UsernamePattern string
	// UsernameMin and UsernameMax bound a username in characters; 0: 2 and 32.
	UsernameMin, UsernameMax int
	// Product is a word that no password may be.
	Product string
}

// Rules are compiled once and used at the same time by all.
type Rules struct {
	foldSubaddress, foldDots map[string]bool
	reserved, reservedLooks  map[string]bool
	pattern                  *regexp.Regexp
	min, max                 int
	product                  string
	common                   commonParts
}

// New compiles the rules.
func New(o Options) (*Rules, error) {
	r := &Rules{foldSubaddress: map[string]bool{}, foldDots: map[string]bool{}, min: o.UsernameMin, max: o.UsernameMax, product: o.Product}
	for list, into := range map[*[]string]map[string]bool{&o.FoldSubaddress: r.foldSubaddress, &o.FoldDots: r.foldDots} {
		for _, domain := range *list {
			ascii, err := asciiDomain(domain)
			if err != nil {
				return nil, fmt.Errorf("domain %q: %w", domain, err)
			}
			into[ascii] = true
		}
	}
	if r.min == 0 {
		r.min = 2
	}
	if r.max == 0 {
		r.max = 32
	}
	if o.UsernamePattern == "" {
		o.UsernamePattern = DefaultUsernamePattern
	}
	var err error
	if r.pattern, err = regexp.Compile(o.UsernamePattern); err != nil {
		return nil, fmt.Errorf("username pattern: %w", err)
	}
	r.reserved, r.reservedLooks = reservedNames(o.Reserved)
	r.common = newCommonParts()
	return r, nil
}

// Fingerprint names what decides equality: it changes when a canonical key could change, and with nothing else.
func (r *Rules) Fingerprint() string {
	h := sha256.New()
	fmt.Fprintln(h, canonicalVersion, norm.Version, idna.UnicodeVersion)
	for _, fold := range []map[string]bool{r.foldSubaddress, r.foldDots} {
		fmt.Fprintln(h, slices.Sorted(maps.Keys(fold)))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Login reads an identifier that somebody types to log in: an address has an "@", a phone number begins with "+", a
// username has neither. Names that nobody may choose any more are accepted here: old accounts have them.
func (r *Rules) Login(s string) (Identifier, error) {
	switch {
	case strings.Contains(s, "@"):
		return r.Email(s)
	case strings.HasPrefix(s, "+"):
		return r.Phone(s)
	default:
		name, err := mapUsername(s)
		if err != nil {
			return Identifier{}, err
		}
		return Identifier{plugin.KindUsername, canonicalVersion + name, name}, nil
	}
}

// maxUniqueKey is the length above which the key of a unique value is a hash.
const maxUniqueKey = 256

// Unique returns the key of a value that only one account may have although it is no name. Values are equal as a
// directory would have it: whatever their case, width, number of blanks and invisible characters (RFC 4518, section 2).
func (r *Rules) Unique(attribute string, v plugin.Value) Identifier {
	text := prepareUnique(v.Text)
	if len(text) > maxUniqueKey {
		sum := sha256.Sum256([]byte(text))
		text = "sha256:" + hex.EncodeToString(sum[:])
	}
	return Identifier{plugin.KindUnique, canonicalVersion + strings.ToLower(attribute) + ":" + text, v.Text}
}

// prepareUnique prepares a text until nothing changes any more: one pass may leave what a further one would still map.
func prepareUnique(text string) string {
	for range 4 {
		visible := strings.Map(func(c rune) rune {
			switch {
			case unicode.IsSpace(c):
				return ' '
			case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Variation_Selector) || c == '\u034f' || c == '\ufffc':
				return -1
			}
			return c
		}, text)
		// Folding alone exchanges the two cases of Cherokee.
		folded := norm.NFKC.String(strings.ToLower(foldCase(norm.NFKC.String(visible))))
		prepared := strings.Join(strings.Fields(folded), " ")
		if prepared == text {
			break
		}
		text = prepared
	}
	return text
}

// LimitKey returns what budgets count by: the canonical key, without what makes variants of one mailbox. It is for
// counting only: two people can share it.
func (r *Rules) LimitKey(i Identifier) string {
	local, domain, isEmail := strings.Cut(strings.TrimPrefix(i.Canonical, canonicalVersion), "@")
	if i.Kind != plugin.KindEmail || !isEmail {
		return i.Canonical
	}
	return canonicalVersion + foldSubaddress(strings.ReplaceAll(local, ".", "")) + "@" + domain
}
