package identifier

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/narthex/narthex/plugin"
)

// Limits of an address in octets (RFC 5321, section 4.5.3.1, and the path limit that bounds it all).
const (
	maxEmail     = 254
	maxLocalPart = 64
	maxDomain    = 253
)

// atext is what an unquoted local part may hold besides letters, digits and dots (RFC 5322, section 3.2.3).
const atext = "!#$%&'*+-/=?^_`{|}~"

// domains maps and checks a host name (UTS 46 non-transitional, RFC 5891 with its contextual rules, RFC 5893).
var domains = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true), idna.CheckHyphens(true),
	idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(true),
)

// Email reads an address: an ASCII local part without quotes, one "@", and a domain of two labels or more. Display names,
// comments, address literals and everything invisible are refused.
func (r *Rules) Email(s string) (Identifier, error) {
	if s == "" {
		return Identifier{}, refuse(CodeRequired, "no address")
	}
	if len(s) > maxEmail {
		return Identifier{}, refuse(CodeEmail, "longer than 254 octets")
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || strings.Contains(domain, "@") {
		return Identifier{}, refuse(CodeEmail, "not exactly one @")
	}
	if err := checkLocalPart(local); err != nil {
		return Identifier{}, err
	}
	ascii, err := asciiDomain(domain)
	if err != nil {
		return Identifier{}, err
	}
	if len(local)+1+len(ascii) > maxEmail {
		return Identifier{}, refuse(CodeEmail, "longer than 254 octets")
	}
	local = lowerASCII(local)
	if r.foldDots[ascii] { // first: "a.+b" has no subaddress while its dot is there
		local = strings.ReplaceAll(local, ".", "")
	}
	if r.foldSubaddress[ascii] {
		local = foldSubaddress(local)
	}
	return Identifier{plugin.KindEmail, canonicalVersion + local + "@" + ascii, s}, nil
}

func checkLocalPart(local string) error {
	if local == "" || len(local) > maxLocalPart {
		return refuse(CodeEmail, "a local part has 1 to 64 octets")
	}
	for part := range strings.SplitSeq(local, ".") {
		if part == "" {
			return refuse(CodeEmail, "a dot at an end, or two together")
		}
		for _, c := range []byte(part) {
			if !asciiAlnum(c) && !strings.ContainsRune(atext, rune(c)) {
				return refuse(CodeEmail, "a character that an unquoted ASCII local part cannot have")
			}
		}
	}
	return nil
}

// asciiDomain returns the one ASCII form of a domain.
func asciiDomain(domain string) (string, error) {
	if domain == "" || len(domain) > maxDomain || !utf8.ValidString(domain) {
		return "", refuse(CodeDomain, "empty, too long or not UTF-8")
	}
	for _, c := range domain {
		// What mapping would silently drop is not what was typed.
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Z, unicode.Co, unicode.Cs) {
			return "", refuse(CodeDomain, "an invisible character")
		}
	}
	ascii, err := domains.ToASCII(domain)
	if err != nil {
		return "", refuse(CodeDomain, "no host name")
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 || ascii[0] == '.' || ascii[len(ascii)-1] == '.' || len(ascii) > maxDomain {
		return "", refuse(CodeDomain, "fewer than two labels, or a dot at an end")
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", refuse(CodeDomain, "the last label is a number")
	}
	if disguised(domain, ascii) {
		return "", refuse(CodeDomain, "a character that stands for another")
	}
	if !roundTrips(ascii) {
		return "", refuse(CodeDomain, "a label that only looks encoded")
	}
	return ascii, nil
}

// disguised tells whether mapping has changed more than case and the spelling of one character: "ⅷ.example" would be
// "viii.example", and an ideographic full stop a dot, which is not what was typed.
func disguised(typed, ascii string) bool {
	shown, _ := domains.ToUnicode(ascii) // what cannot be shown is refused later
	typedLabels, shownLabels := strings.Split(typed, "."), strings.Split(shown, ".")
	if len(typedLabels) != len(shownLabels) {
		return true
	}
	for i, label := range typedLabels {
		if !isASCII(label) && norm.NFC.String(strings.ToLower(label)) != shownLabels[i] {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII })
}

// withASCIIDomain encodes the domain of an address that has been accepted, if it is not ASCII already.
func withASCIIDomain(address string) string {
	if isASCII(address) {
		return address
	}
	at := strings.LastIndexByte(address, '@')
	ascii, err := asciiDomain(address[at+1:])
	if err != nil {
		return address
	}
	return address[:at+1] + ascii
}

// roundTrips refuses encoded labels that decode to something which would be encoded otherwise, or not at all.
func roundTrips(ascii string) bool {
	if !strings.Contains(ascii, "xn--") {
		return true
	}
	shown, err := domains.ToUnicode(ascii)
	if err != nil {
		return false
	}
	again, err := domains.ToASCII(shown)
	if err != nil || again != ascii {
		return false
	}
	for label := range strings.SplitSeq(shown, ".") {
		if strings.HasPrefix(label, "xn--") {
			return false
		}
	}
	return true
}

// foldSubaddress cuts a local part before its first "+" (RFC 5233), if what is left is a local part.
func foldSubaddress(local string) string {
	if base, _, found := strings.Cut(local, "+"); found && checkLocalPart(base) == nil {
		return base
	}
	return local
}

// Display shortens an address or a number for a screen that others may see: "j…@example.org", "+49…67".
func Display(value string) string {
	if local, domain, found := strings.Cut(value, "@"); found {
		first, _ := utf8.DecodeRuneInString(local)
		return string(first) + "…@" + domain
	}
	if strings.HasPrefix(value, "+") && len(value) > 6 {
		return value[:3] + "…" + value[len(value)-2:]
	}
	return "…"
}

func asciiAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// lowerASCII changes A to Z only: strings.ToLower would make a k of a Kelvin sign.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
