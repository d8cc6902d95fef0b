package directory

import (
	"fmt"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Object identifiers of the controls and features that are used where a server lists them.
const (
	assertionControl      = "1.3.6.1.1.12"         // RFC 4528
	preReadControl        = "1.3.6.1.1.13.1"       // RFC 4527
	pagedResultsControl   = ldap.ControlTypePaging // RFC 2696
	passwordPolicyControl = "1.3.6.1.4.1.42.2.27.8.5.1"
	incrementFeature      = "1.3.6.1.1.14"            // RFC 4525
	passwordModifyName    = "1.3.6.1.4.1.4203.1.11.1" // RFC 3062
)

// assertion makes an operation depend on a filter that must hold for its entry (RFC 4528). The library has no type for it.
type assertion struct{ filter []byte }

func (assertion) GetControlType() string { return assertionControl }
func (assertion) String() string         { return "assertion" }

// Encode returns the control.
func (a assertion) Encode() *ber.Packet { return critical(assertionControl, a.filter) }

// preRead returns an attribute as it was before the change (RFC 4527).
type preRead struct{ attribute string }

func (preRead) GetControlType() string { return preReadControl }
func (preRead) String() string         { return "pre-read" }

// Encode returns the control.
func (p preRead) Encode() *ber.Packet {
	selection := ber.NewSequence("")
	selection.AppendChild(octets(p.attribute))
	return critical(preReadControl, selection.Bytes())
}

// critical is a control that the server must obey or refuse the operation (RFC 4511, section 4.1.11).
func critical(name string, value []byte) *ber.Packet {
	control := ber.NewSequence("")
	control.AppendChild(octets(name))
	control.AppendChild(ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	control.AppendChild(octets(string(value)))
	return control
}

func octets(value string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, value, "")
}

// valueBefore finds the number that a pre-read control brought.
func valueBefore(controls []ldap.Control, attribute string) (int64, error) {
	for _, c := range controls {
		read, ok := c.(*ldap.ControlString)
		if !ok || read.ControlType != preReadControl {
			continue
		}
		entry, err := ber.DecodePacketErr([]byte(read.ControlValue))
		if err != nil {
			return 0, fmt.Errorf("pre-read: %w", err)
		}
		return numberIn(entry, attribute)
	}
	return 0, fmt.Errorf("%w: the pre-read control is missing", errNotLDAP)
}

// numberIn reads the one value of attribute from a SearchResultEntry (RFC 4511, section 4.5.2).
func numberIn(entry *ber.Packet, attribute string) (int64, error) {
	if len(entry.Children) < 2 {
		return 0, fmt.Errorf("%w: the pre-read entry is no entry", errNotLDAP)
	}
	for _, a := range entry.Children[1].Children {
		if len(a.Children) != 2 || len(a.Children[1].Children) != 1 {
			continue
		}
		name, _ := a.Children[0].Value.(string)
		value, _ := a.Children[1].Children[0].Value.(string)
		if strings.EqualFold(name, attribute) {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("%w: the pre-read entry lacks its attribute", errNotLDAP)
}
