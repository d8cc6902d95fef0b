package testenv

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// Rights and flags of an entry of an access control list (MS-DTYP, 2.4.3 and 2.4.4.1; MS-ADTS, 5.1.3.2).
const (
	createChild   = 0x1
	deleteChild   = 0x2
	readProperty  = 0x10
	writeProperty = 0x20
	readAll       = 0x20094 // list the children and the object, read its properties and its descriptor
	fullControl   = 0xF01FF

	toChildren     = 0x2 // the entry passes to what is below
	onlyToChildren = 0xA // and is not for the object itself
)

// Classes and attributes of Active Directory's schema: the first field of their GUID, which ends alike for all but one.
const (
	anything           = ""
	userClass          = "bf967aba"
	groupClass         = "bf967a9c"
	connectionPoint    = "28630ec1"
	nameAttribute      = "bf967a0e"
	cnAttribute        = "bf96793f"
	mailAttribute      = "bf967961"
	memberAttribute    = "bf9679c0"
	markAttribute      = "bf967919" // adminDescription
	accountControl     = "bf967a68"
	connectionPointEnd = "41d511d1a9c10000f80367c1"
	otherEnd           = "0de611d0a28500aa003049e2"
)

// accessEntry allows rights to somebody. object is the class of a child to create or the attribute to write, inheritor
// the class of the objects below that the entry is for.
type accessEntry struct {
	flags             byte
	mask              uint32
	object, inheritor string
	sid               []byte
}

// octets is the entry in its binary form, MS-DTYP, 2.4.4.2 and 2.4.4.3.
func (e accessEntry) octets() []byte {
	body := binary.LittleEndian.AppendUint32(nil, e.mask)
	kind := byte(0)
	if e.object != anything || e.inheritor != anything {
		kind = 5
		present, guids := uint32(0), []byte(nil)
		if e.object != anything {
			present, guids = present|1, append(guids, schemaGUID(e.object)...)
		}
		if e.inheritor != anything {
			present, guids = present|2, append(guids, schemaGUID(e.inheritor)...)
		}
		body = append(binary.LittleEndian.AppendUint32(body, present), guids...)
	}
	body = append(body, e.sid...)
	return append(binary.LittleEndian.AppendUint16([]byte{kind, e.flags}, uint16(len(body)+4)), body...)
}

// schemaGUID is a GUID as Windows stores it: its first three fields with the low octet first.
func schemaGUID(first string) []byte {
	end := otherEnd
	if first == connectionPoint {
		end = connectionPointEnd
	}
	var a uint32
	var b, c uint16
	var d uint64
	if _, err := fmt.Sscanf(first+" "+end[:4]+" "+end[4:8]+" "+end[8:], "%x %x %x %x", &a, &b, &c, &d); err != nil {
		panic(err) // a constant above is wrong
	}
	guid := binary.LittleEndian.AppendUint32(nil, a)
	guid = binary.LittleEndian.AppendUint16(guid, b)
	guid = binary.LittleEndian.AppendUint16(guid, c)
	return binary.BigEndian.AppendUint64(guid, d)
}

// securityDescriptor is a value of nTSecurityDescriptor for LDIF, MS-DTYP, 2.4.6. A sealed one takes nothing from above.
func securityDescriptor(owner []byte, sealed bool, entries []accessEntry) string {
	var list []byte
	for _, e := range entries {
		list = append(list, e.octets()...)
	}
	control := uint16(0x8004) // all in one piece, with a list
	if sealed {
		control |= 0x1000
	}
	const head = 20
	sd := binary.LittleEndian.AppendUint16([]byte{1, 0}, control)
	for _, offset := range []int{head, head + len(owner), 0, head + 2*len(owner)} { // owner, group, audit, access
		sd = binary.LittleEndian.AppendUint32(sd, uint32(offset))
	}
	sd = append(append(sd, owner...), owner...)
	sd = append(sd, 4, 0)
	sd = binary.LittleEndian.AppendUint16(sd, uint16(8+len(list)))
	sd = binary.LittleEndian.AppendUint16(sd, uint16(len(entries)))
	return base64.StdEncoding.EncodeToString(append(append(sd, 0, 0), list...))
}

// sid reads an account's security identifier.
func (d *Directory) sid(t testing.TB, dn string) []byte {
	t.Helper()
	out := d.LDAPSearch(t, dn, "(objectSid=*)", "objectSid")
	for line := range strings.Lines(out) {
		if value, ok := strings.CutPrefix(line, "objectSid:: "); ok {
			sid, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
			if err != nil {
				t.Fatal(err)
			}
			return sid
		}
	}
	t.Fatalf("%s has no objectSid:\n%s", dn, out)
	return nil
}

// sambaClaims is LDIF for ou=identifiers and the least rights.
func (d *Directory) sambaClaims(t testing.TB) string {
	t.Helper()
	service, admins := d.sid(t, d.ServiceDN), d.sid(t, "CN=Domain Admins,CN=Users,"+d.Base)
	system, users := []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0}, []byte{1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0}
	always := []accessEntry{{toChildren, fullControl, anything, anything, system}, {toChildren, fullControl, anything, anything, admins}}
	write := func(attribute, class string) accessEntry {
		return accessEntry{onlyToChildren, writeProperty, attribute, class, service}
	}
	identifiers := append(always[:2:2], accessEntry{toChildren, readAll, anything, anything, service},
		accessEntry{0, createChild, connectionPoint, anything, service},
		accessEntry{onlyToChildren, readProperty | writeProperty, anything, connectionPoint, service})
	pending := []accessEntry{{0, createChild | deleteChild, userClass, anything, service},
		write(nameAttribute, userClass), write(cnAttribute, userClass), write(accountControl, userClass)}
	people := append(always[:2:2], accessEntry{0, readAll, anything, anything, users},
		accessEntry{0, createChild | deleteChild, userClass, anything, service},
		write(nameAttribute, userClass), write(cnAttribute, userClass), write(mailAttribute, userClass), write(markAttribute, userClass))
	groups := append(always[:2:2], accessEntry{0, readAll, anything, anything, users}, write(memberAttribute, groupClass))
	return strings.NewReplacer(
		"SDIDENTIFIERS", securityDescriptor(admins, true, identifiers), "SDPENDING", securityDescriptor(admins, false, pending),
		"SDPEOPLE", securityDescriptor(admins, false, people), "SDGROUPS", securityDescriptor(admins, false, groups)).Replace(d.fill(sambaClaimsLDIF))
}
