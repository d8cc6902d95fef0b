package entry

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// content is what the values of a syntax are.
type content int

const (
	unknownContent content = iota
	anyText
	asciiText
	printableText
	telephoneText
	digits
	wholeNumber
	trueOrFalse
	moment
	entryName
	octets
)

// syntaxes are those of RFC 4517, section 3.3, and MS-ADTS, section 3.1.1.2.2.2.
var syntaxes = map[string]content{
	"1.3.6.1.4.1.1466.115.121.1.15": anyText,
	"1.3.6.1.4.1.1466.115.121.1.40": anyText, // octets, which a text is, too
	"1.3.6.1.4.1.1466.115.121.1.41": anyText, // a postal address
	"1.2.840.113556.1.4.905":        anyText,
	"1.2.840.113556.1.4.1362":       anyText,
	"1.3.6.1.4.1.1466.115.121.1.26": asciiText,
	"1.3.6.1.4.1.1466.115.121.1.44": printableText,
	"1.3.6.1.4.1.1466.115.121.1.11": printableText, // a country
	"1.3.6.1.4.1.1466.115.121.1.50": telephoneText,
	"1.3.6.1.4.1.1466.115.121.1.22": telephoneText, // a fax number
	"1.3.6.1.4.1.1466.115.121.1.36": digits,
	"1.3.6.1.4.1.1466.115.121.1.27": wholeNumber,
	"1.2.840.113556.1.4.906":        wholeNumber,
	"1.3.6.1.4.1.1466.115.121.1.7":  trueOrFalse,
	"1.3.6.1.4.1.1466.115.121.1.24": moment,
	"1.3.6.1.4.1.1466.115.121.1.53": moment, // UTC time: two digits of the year
	"1.3.6.1.4.1.1466.115.121.1.12": entryName,
	"1.2.840.113556.1.4.903":        entryName,
	"1.2.840.113556.1.4.904":        entryName,
	"1.3.6.1.4.1.1466.115.121.1.5":  octets,
	"1.3.6.1.4.1.1466.115.121.1.8":  octets,
	"1.3.6.1.4.1.1466.115.121.1.28": octets,
	"1.2.840.113556.1.4.907":        octets,
}

var contentNames = map[content]string{
	anyText: "any text", asciiText: "ASCII text", printableText: "letters, digits and few signs", telephoneText: "telephone numbers", digits: "digits",
	wholeNumber: "whole numbers", trueOrFalse: "TRUE or FALSE", moment: "times", entryName: "names of entries", octets: "octets",
}

// natural is how a syntax of its own writes a typed value, so that the item need not say.
func natural(c content, t plugin.ValueType) plugin.Encoding {
	switch {
	case c == trueOrFalse && t == plugin.TypeBoolean:
		return plugin.EncodingUpperBoolean
	case c == moment && (t == plugin.TypeDate || t == plugin.TypeDateTime):
		return plugin.EncodingGeneralizedTime
	case c == wholeNumber && t == plugin.TypeInteger:
		return plugin.EncodingDecimal
	}
	return plugin.EncodingNone
}

// spoken is how values look once they are encoded.
func spoken(u plugin.AttributeUse) content {
	switch u.Encoding {
	case plugin.EncodingUpperBoolean:
		return trueOrFalse
	case plugin.EncodingGeneralizedTime:
		return moment
	case plugin.EncodingDecimal, plugin.EncodingDigitBoolean:
		return wholeNumber
	case plugin.EncodingNone:
		return anyText
	default:
		return printableText
	}
}

// holds tells whether a syntax holds what is spoken. Texts that may or may not fit (a name in ASCII, a phone number) are
// judged when they come: the server's refusal names their field.
func (c content) holds(u plugin.AttributeUse) bool {
	said := spoken(u)
	switch c {
	case anyText, asciiText, printableText, telephoneText, unknownContent:
		return true
	case digits:
		return said == anyText || said == wholeNumber
	default:
		return c == said
	}
}

// takes tells whether an attribute holds a text, as far as its syntax tells for sure; without a schema the server finds out.
func (s *Settings) takes(attribute, text string) bool {
	if s.schema == nil {
		return true
	}
	a, _ := s.schema.Attribute(attribute)
	within := func(letters string) bool { return strings.Trim(text, letters) == "" }
	switch syntaxes[a.Syntax] {
	case asciiText:
		return !strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII })
	case digits:
		return within("0123456789 ")
	case wholeNumber:
		return within("-0123456789")
	case trueOrFalse:
		return text == "TRUE" || text == "FALSE"
	default:
		return true
	}
}

// encode finds the encoding of a use, or what is wrong with it.
func encode(u plugin.AttributeUse, a directory.AttributeType) (plugin.Encoding, *plugin.SchemaFinding) {
	c := syntaxes[a.Syntax]
	if u.Encoding == plugin.EncodingNone && u.Type != plugin.TypeString {
		if own := natural(c, u.Type); own != plugin.EncodingNone {
			return own, nil
		}
		return "", &plugin.SchemaFinding{
			Problem: fmt.Sprintf("a directory holds strings, and a value of type %q is none", u.Type),
			Fix:     "say with encode how the value is written, or map it to an attribute whose syntax is of that type",
		}
	}
	if !u.Encoding.Fits(u.Type) {
		return "", &plugin.SchemaFinding{
			Problem: fmt.Sprintf("a value of type %q cannot be written as %q", u.Type, u.Encoding),
			Fix:     "use an encoding of the item's type",
		}
	}
	if !c.holds(u) {
		return "", &plugin.SchemaFinding{
			Problem: fmt.Sprintf("the attribute holds %s, and the item supplies %s", contentNames[c], contentNames[spoken(u)]),
			Fix:     "map the item to another attribute, or change its type or encode",
		}
	}
	return u.Encoding, nil
}
